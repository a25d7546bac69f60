/** The middle of the window: a channel's title, its messages and its composer; or the app's Home. */

import { clear, el } from "../dom.js";
import { icon } from "../icons.js";
import { mrkdwn } from "../text/mrkdwn.js";
import { appAvatar } from "./avatar.js";
import { Composer } from "./composer.js";
import { HomePane } from "./home_pane.js";
import { MessageList } from "./message_list.js";

export class ChannelPane {
  node = el("main.pane", { id: "pane" });
  #head = el("header.pane-head");
  #empty = el(
    "div.empty",
    { hidden: true },
    el("h2", {}, "Nothing to see"),
    el("p", {}, "This person is in no channel of this workspace."),
  );
  #store;

  constructor(store) {
    this.#store = store;
    this.list = new MessageList(store, { threads: true });
    this.composer = new Composer(store, () => ({ channel: store.place.id }));
    this.home = new HomePane(store);
    this.node.append(this.#head, this.#empty, this.list.node, this.home.node, this.composer.node);
    for (const kind of ["state", "place"]) store.on(kind, () => this.#show());
    store.on(
      "message",
      ({ channel, message, fresh }) => store.isOpen(channel.id) && this.#showMessages(fresh && isTopLevel(message)),
    );
    store.on("message_deleted", ({ channel }) => store.isOpen(channel.id) && this.#showMessages(false));
  }

  #show() {
    const { place, channels } = this.#store;
    const home = place.kind === "home";
    const channel = channels.get(place.id);
    this.#empty.hidden = home || Boolean(channel);
    clear(this.#head, menuButton(), home || channel?.is_im ? this.#appHead(home) : channelHead(channel, this.#store));
    this.list.node.hidden = home || !channel;
    this.home.node.hidden = !home;
    this.composer.node.hidden = home || !channel;
    if (channel) this.#showMessages(false);
    this.composer.refresh();
  }

  #showMessages(fresh) {
    const channel = this.#store.channels.get(this.#store.place.id);
    this.list.show(channel.id, channel.messages.filter(isTopLevel), { fresh });
  }

  #appHead(home) {
    const direct = this.#store.appChannel();
    const tab = (name, current, href) => el("a.tab", { href, "aria-current": current ? "page" : null }, name);
    return [
      appAvatar("small"),
      el("h1", {}, this.#store.app.name),
      el(
        "nav.tabs",
        { "aria-label": "App" },
        tab("Home", home, "#home"),
        direct && tab("Messages", !home, `#${direct.id}`),
      ),
    ];
  }
}

function isTopLevel(message) {
  return !message.thread_ts || message.thread_ts === message.ts || Boolean(message.reply_broadcast);
}

function channelHead(channel, store) {
  if (!channel) return [el("h1", {}, "No channel")];
  const shared =
    channel.is_ext_shared &&
    el("span.badge.shared", { title: "Shared with another organisation" }, icon("globe", { size: 13 }), "Shared");
  const name = el("h1", {}, channel.is_private ? icon("lock") : icon("hash", { size: 17 }), channel.name);
  return [name, shared, channel.topic && el("div.topic", { title: channel.topic }, mrkdwn(channel.topic, store))];
}

function menuButton() {
  return el(
    "button.icon-button.menu-button",
    { type: "button", "aria-label": "Open the sidebar", onclick: () => document.body.classList.add("drawer-open") },
    icon("menu"),
  );
}
