/** The panel of one thread: its first message, the replies, and a composer. */

import { clear, el } from "../dom.js";
import { icon } from "../icons.js";
import { Composer } from "./composer.js";
import { MessageList } from "./message_list.js";

export class ThreadPane {
  node = el("aside.thread", { "aria-label": "Thread", hidden: true });
  #head = el("header.pane-head");
  #store;

  constructor(store) {
    this.#store = store;
    this.list = new MessageList(store, { threads: false });
    this.composer = new Composer(store, () => ({ channel: store.thread?.channel, thread_ts: store.thread?.ts }));
    this.node.append(this.#head, this.list.node, this.composer.node);
    for (const kind of ["state", "place", "thread", "message", "message_deleted"])
      store.on(kind, () => this.#show(kind));
    this.node.addEventListener(
      "keydown",
      (event) => event.key === "Escape" && !event.defaultPrevented && store.openThread(null, null),
    );
  }

  #show(kind) {
    const { thread, channels } = this.#store;
    const channel = thread && channels.get(thread.channel);
    this.node.hidden = !channel;
    document.body.classList.toggle("thread-open", Boolean(channel));
    if (!channel) return;
    if (kind === "thread") this.#opened(channel);
    const messages = channel.messages.filter((message) => message.ts === thread.ts || message.thread_ts === thread.ts);
    this.list.show(`${channel.id}`, messages, { fresh: kind === "message" });
  }

  #opened(channel) {
    const close = el(
      "button.icon-button.thread-close",
      { type: "button", "aria-label": "Close the thread", onclick: () => this.#store.openThread(null, null) },
      icon("close"),
    );
    const where = channel.is_im ? this.#store.app.name : `#${channel.name}`;
    clear(this.#head, el("h1", {}, "Thread"), el("div.topic", {}, where), close);
    this.composer.refresh();
    this.composer.focus();
    this.list.toEnd();
  }
}
