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
  #visitor = null;

  constructor(store) {
    this.#store = store;
    store.on("home", () => this.#draw());
    store.on("state", () => this.#show());
    store.on("place", () => this.#show());
  }

  /** The app hears each time that somebody opens its Home, and may publish it anew. */
  #show() {
    const { place, me } = this.#store;
    const visitor = place.kind === "home" ? me.id : null;
    this.#draw();
    if (visitor && visitor !== this.#visitor) perform("home", { user: visitor });
    this.#visitor = visitor;
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
    clear(
      this.node,
      el(
        "div.empty",
        {},
        appAvatar(),
        el("h2", {}, app.name),
        el("p", {}, "This app has not published a Home for you yet."),
      ),
    );
  }
}
