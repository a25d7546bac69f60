/** A scrolling list of messages: days, runs of one author, and staying at the end unless the person scrolled up. */

import { arrange, el } from "../dom.js";
import { dayName } from "../text/dates.js";
import { MessageView } from "./message.js";

const RUN_SECONDS = 300;
const NEAR_END_PX = 80;

export class MessageList {
  node = el("div.messages", { role: "log", "aria-label": "Messages", "aria-live": "off", tabIndex: 0 });
  #views = new Map();
  #days = new Map();
  #channel = null;
  #reader = null;
  #store;
  #pinned = true;
  #lastTop = 0;
  #column = el("div.message-column");
  #empty = el("div.empty.no-messages", { hidden: true }, el("p", {}, "No messages here yet."));
  #jump = el("button.jump", { type: "button", hidden: true, onclick: () => this.toEnd() }, "New messages ↓");

  constructor(store, { threads }) {
    this.#store = store;
    this.threads = threads;
    this.node.append(this.#empty, this.#column, this.#jump);
    this.node.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#pinned && this.toEnd()).observe(this.#column);
    new ResizeObserver(() => this.#pinned && this.toEnd()).observe(this.node);
  }

  /** Show these messages of a channel; known ones are updated in place. */
  show(channel, messages, { fresh = false } = {}) {
    const reader = this.#store.me.id; // mentions of oneself look different
    if (channel !== this.#channel || reader !== this.#reader) this.#forget(channel, reader);
    const wanted = new Set(messages.map((message) => message.ts));
    for (const ts of this.#views.keys()) if (!wanted.has(ts)) this.#views.delete(ts);
    arrange(
      this.#column,
      messages.flatMap((message, index) => this.#nodesOf(message, messages[index - 1])),
    );
    this.#empty.hidden = messages.length > 0;
    if (this.#pinned) this.toEnd();
    else if (fresh) this.#jump.hidden = false;
  }

  toEnd() {
    this.#pinned = true;
    this.#jump.hidden = true;
    this.node.scrollTop = this.node.scrollHeight;
  }

  /** Bring a message into view and point at it; whether it is here. */
  reveal(ts) {
    const view = this.#views.get(ts);
    if (!view) return false;
    this.#pinned = false;
    view.node.scrollIntoView({ block: "center" });
    view.node.classList.add("pointed-at");
    view.node.addEventListener("animationend", () => view.node.classList.remove("pointed-at"), { once: true });
    return true;
  }

  #forget(channel, reader) {
    this.#channel = channel;
    this.#reader = reader;
    this.#views.clear();
    this.#pinned = true;
  }

  /** Only scrolling up leaves the end; what grows below (a chart being drawn) does not. */
  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.node;
    const nearEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (nearEnd || scrollTop < this.#lastTop) this.#pinned = nearEnd;
    this.#lastTop = scrollTop;
    if (nearEnd) this.#jump.hidden = true;
  }

  #nodesOf(message, before) {
    const view = this.#viewOf(message);
    const day = dayName(message.ts);
    const newDay = !before || dayName(before.ts) !== day;
    view.node.classList.toggle("follows", !newDay && continues(message, before));
    return newDay ? [this.#dayLine(day), view.node] : [view.node];
  }

  #viewOf(message) {
    const known = this.#views.get(message.ts);
    if (!known)
      this.#views.set(message.ts, new MessageView(this.#channel, message, this.#store, { threads: this.threads }));
    else known.update(message);
    return this.#views.get(message.ts);
  }

  #dayLine(day) {
    if (!this.#days.has(day))
      this.#days.set(day, el("div.day", { role: "separator", "aria-label": day }, el("span", {}, day)));
    return this.#days.get(day);
  }
}

/** The same author within five minutes, and nothing special about either. */
function continues(message, before) {
  const same = message.user === before.user && message.bot_id === before.bot_id && message.username === before.username;
  return same && !message.is_ephemeral && !before.is_ephemeral && Number(message.ts) - Number(before.ts) < RUN_SECONDS;
}
