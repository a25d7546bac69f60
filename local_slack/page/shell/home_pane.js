/** The app's Home tab: the view it published for this person. */

import { BlockList } from "../blocks/block_list.js";
import { clear, el } from "../dom.js";
import { Form } from "../form.js";
import { Surface, perform } from "../surface.js";
import { appAvatar } from "./avatar.js";

export class HomePane {
  node = el("section.home", { "aria-label": "Home", tabIndex: 0, hidden: true });
  #store;
  #blocks = null;
  #owner = null;

  constructor(store) {
    this.#store = store;
    store.on("home", () => this.#draw());
    store.on("state", () => this.#draw());
    store.on("place", () => store.place.kind === "home" && this.#opened());
  }

  /** The app hears that its Home was opened, and may publish it anew. */
  #opened() {
    this.#draw();
    perform("home", { user: this.#store.me.id });
  }

  #draw() {
    const { home, me, app } = this.#store;
    if (!home?.blocks) return this.#drawEmpty(app);
    if (!this.#blocks || this.#owner !== me.id) {
      this.#owner = me.id;
      this.#blocks = new BlockList(new Surface(this.#store, {}, { form: new Form() }));
      clear(this.node, el("div.home-column", {}, this.#blocks.node));
    }
    this.#blocks.surface.address = { view_id: home.id };
    this.#blocks.update(home.blocks);
  }

  #drawEmpty(app) {
    this.#blocks = null;
    clear(this.node, el("div.empty", {}, appAvatar(), el("h2", {}, app.name), el("p", {}, "This app has not published a Home for you yet.")));
  }
}
