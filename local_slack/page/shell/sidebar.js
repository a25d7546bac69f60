/** The left side: the workspace, its channels, the app, and who one is acting as. */

import { clear, el } from "../dom.js";
import { icon } from "../icons.js";
import { appAvatar } from "./avatar.js";
import { personSwitch } from "./person_switch.js";
import { themeButton } from "./theme.js";

export class Sidebar {
  node = el("nav.sidebar", { "aria-label": "Workspace" });
  #places = el("div.places");
  #store;
  #become;

  /** `become(userId)` acts as another person from now on. */
  constructor(store, become) {
    this.#store = store;
    this.#become = become;
    store.on("state", () => this.#draw());
    for (const kind of ["place", "connection"]) store.on(kind, () => this.#drawPlaces());
    store.on("message", ({ fresh }) => fresh && this.#drawPlaces());
  }

  #draw() {
    const close = el(
      "button.icon-button.drawer-close",
      { type: "button", "aria-label": "Close the sidebar", onclick: closeDrawer },
      icon("close"),
    );
    const name = el("span.workspace-name", {}, this.#store.team.name);
    this.#drawPlaces();
    clear(
      this.node,
      el("div.workspace", {}, name, themeButton(), close),
      this.#places,
      personSwitch(this.#store, this.#become),
    );
  }

  #drawPlaces() {
    const rooms = [...this.#store.channels.values()].filter((channel) => !channel.is_im);
    const focused = this.#places.contains(document.activeElement) && document.activeElement.getAttribute("href");
    const sections = [
      this.#section("Channels", this.#rooms(rooms.filter((channel) => channel.is_member))),
      this.#section("Not a member of", this.#rooms(rooms.filter((channel) => !channel.is_member))),
      this.#section("App", this.#appPlaces()),
    ];
    clear(this.#places, sections);
    if (focused) this.#places.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
  }

  #section(name, items) {
    if (!items.length) return null;
    return el(
      "section",
      {},
      el("h2", {}, name),
      el(
        "ul",
        {},
        items.map((item) => el("li", {}, item)),
      ),
    );
  }

  #rooms(channels) {
    return channels.map((channel) => this.#room(channel));
  }

  #room(channel) {
    const sign = channel.is_private ? "lock" : channel.is_ext_shared ? "globe" : "hash";
    return this.#link(`#${channel.id}`, icon(sign, { size: 16 }), channel.name, this.#isHere(channel.id), channel.id);
  }

  #appPlaces() {
    const { app, appConnected } = this.#store;
    const direct = this.#store.appChannel();
    const state = el("span.presence", {
      title: appConnected ? "Connected" : "Not connected",
      data: { on: String(appConnected) },
    });
    return [
      this.#link("#home", icon("home", { size: 16 }), "Home", this.#store.place.kind === "home"),
      direct &&
        this.#link(`#${direct.id}`, appAvatar("small"), [app.name, " ", state], this.#isHere(direct.id), direct.id),
    ].filter(Boolean);
  }

  #isHere(id) {
    return this.#store.place.kind === "channel" && this.#store.place.id === id;
  }

  #link(href, sign, name, current, id) {
    const unread = this.#store.unread.get(id);
    const count = unread ? el("span.unread", { "aria-label": `${unread} new` }, String(unread)) : null;
    return el(
      `a.place${unread ? ".has-unread" : ""}`,
      { href, "aria-current": current ? "page" : null, onclick: closeDrawer },
      sign,
      el("span.place-name", {}, name),
      count,
    );
  }
}

export function closeDrawer() {
  document.body.classList.remove("drawer-open");
}
