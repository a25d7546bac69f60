/** The left side: the workspace, its channels, the app, and who one is acting as. */

import { clear, el } from "../dom.js";
import { icon } from "../icons.js";
import { appAvatar } from "./avatar.js";
import { personSwitch } from "./person_switch.js";
import { themeButton } from "./theme.js";

export class Sidebar {
  node = el("nav.sidebar", { "aria-label": "Workspace" });
  #store;
  #become;

  /** `become(userId)` acts as another person from now on. */
  constructor(store, become) {
    this.#store = store;
    this.#become = become;
    for (const kind of ["state", "place", "connection"]) store.on(kind, () => this.#draw());
    store.on("message", ({ fresh }) => fresh && this.#draw());
  }

  #draw() {
    const { team, channels } = this.#store;
    const all = [...channels.values()];
    const rooms = all.filter((channel) => !channel.is_im && channel.is_member !== false);
    const others = all.filter((channel) => !channel.is_im && channel.is_member === false);
    const close = el("button.icon-button.drawer-close", { type: "button", "aria-label": "Close the sidebar", onclick: closeDrawer }, icon("close"));
    clear(this.node, el("div.workspace", {}, el("span.workspace-name", {}, team.name), themeButton(), close),
      el("div.places", {}, rooms.length > 0 && this.#section("Channels", rooms.map((channel) => this.#room(channel))),
        others.length > 0 && this.#section("Not a member of", others.map((channel) => this.#room(channel))), this.#section("App", this.#appPlaces())),
      personSwitch(this.#store, this.#become));
  }

  #section(name, items) {
    return el("section", {}, el("h2", {}, name), el("ul", {}, items.map((item) => el("li", {}, item))));
  }

  #room(channel) {
    const sign = channel.is_private ? "lock" : channel.is_ext_shared ? "globe" : "hash";
    return this.#link(`#${channel.id}`, icon(sign, { size: 16 }), channel.name, this.#isHere(channel.id), channel.id);
  }

  #appPlaces() {
    const { app, appConnected } = this.#store;
    const direct = this.#store.appChannel();
    const state = el("span.presence", { title: appConnected ? "Connected" : "Not connected", data: { on: String(appConnected) } });
    return [
      this.#link("#home", icon("home", { size: 16 }), "Home", this.#store.place.kind === "home"),
      direct && this.#link(`#${direct.id}`, appAvatar("small"), [app.name, " ", state], this.#isHere(direct.id), direct.id),
    ].filter(Boolean);
  }

  #isHere(id) {
    return this.#store.place.kind === "channel" && this.#store.place.id === id;
  }

  #link(href, sign, name, current, id) {
    const unread = this.#store.unread.get(id);
    const count = unread ? el("span.unread", { "aria-label": `${unread} new` }, String(unread)) : null;
    return el(`a.place${unread ? ".has-unread" : ""}`, { href, "aria-current": current ? "page" : null, onclick: closeDrawer }, sign, el("span.place-name", {}, name), count);
  }
}

export function closeDrawer() {
  document.body.classList.remove("drawer-open");
}
