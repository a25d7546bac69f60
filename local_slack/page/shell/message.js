/** One message: author, time, text or blocks, files, thread. Updated in place, so what is unchanged keeps its state. */

import { BlockList } from "../blocks/block_list.js";
import { fileCard } from "../blocks/file.js";
import { clear, el } from "../dom.js";
import { Form } from "../form.js";
import { icon } from "../icons.js";
import { Surface } from "../surface.js";
import { clockTime, fullTime } from "../text/dates.js";
import { emoji } from "../text/emoji.js";
import { mrkdwn } from "../text/mrkdwn.js";
import { authorOf } from "./avatar.js";

export class MessageView {
  node = el("article.message");
  #head = el("header.message-head");
  #text = el("div.message-text");
  #edited = el("small.edited");
  #files = el("div.files");
  #reactions = el("div.reactions");
  #foot = el("div.message-foot");
  #gutter = el("div.gutter");
  #blocks;
  #store;
  #replies = null;

  /** `channel` is the channel's id; `threads` says whether to offer the thread (not inside one). */
  constructor(channel, message, store, { threads }) {
    this.#store = store;
    this.threads = threads;
    this.channel = channel;
    const surface = new Surface(
      store,
      { channel, ts: message.ts },
      { form: new Form(), fallbackText: () => this.message.text },
    );
    this.#blocks = new BlockList(surface);
    this.node.dataset.ts = message.ts;
    this.node.append(
      this.#gutter,
      el(
        "div.message-body",
        {},
        this.#head,
        this.#text,
        this.#blocks.node,
        this.#edited,
        this.#files,
        this.#reactions,
        this.#foot,
      ),
    );
    this.update(message);
  }

  /** Take a message as it is now. The store gives a changed message as a new object. */
  update(message) {
    const before = this.message;
    this.#drawFoot(message);
    if (before === message) return;
    this.message = message;
    const author = authorOf(message, this.#store);
    this.#drawHead(message, author);
    const hasBlocks = Boolean(message.blocks?.length);
    this.#blocks.update(message.blocks ?? []);
    this.#text.hidden = hasBlocks || !message.text;
    if (before?.text !== message.text || hasBlocks)
      clear(this.#text, hasBlocks ? [] : mrkdwn(message.text, this.#store));
    if (JSON.stringify(before?.files) !== JSON.stringify(message.files))
      clear(this.#files, (message.files ?? []).map(fileCard));
    this.#edited.textContent = message.edited ? "(edited)" : "";
    this.#edited.title = message.edited?.ts ? fullTime(message.edited.ts) : "";
    clear(
      this.#reactions,
      (message.reactions ?? []).map((reaction) => pill(reaction, this.#store)),
    );
    this.node.classList.toggle("ephemeral", Boolean(message.is_ephemeral));
    this.node.setAttribute("aria-label", `${author.name}, ${clockTime(message.ts)}`);
  }

  #drawFoot(message) {
    if (!this.threads || message.is_ephemeral) return;
    const count = replyCount(this.channel, message, this.#store);
    if (count === this.#replies) return;
    this.#replies = count;
    clear(
      this.#foot,
      threadLinks(count, () => this.#store.openThread(this.channel, message.ts)),
    );
  }

  #drawHead(message, author) {
    const time = el("time.message-time", { title: fullTime(message.ts) }, clockTime(message.ts));
    clear(this.#gutter, author.avatar, el("time.gutter-time", { title: fullTime(message.ts) }, clockTime(message.ts)));
    clear(
      this.#head,
      message.is_ephemeral && el("div.only-you", {}, icon("eye", { size: 14 }), "Only visible to you"),
      el("span.author", {}, author.name),
      author.isApp && el("span.badge", {}, "App"),
      time,
    );
  }
}

/** "3 replies" below a message that has a thread, and on hover a way to start one. */
function threadLinks(count, onclick) {
  const start = el(
    "button.icon-button.start-thread",
    { type: "button", "aria-label": "Reply in thread", title: "Reply in thread", onclick },
    icon("message", { size: 16 }),
  );
  const link =
    count > 0 &&
    el(
      "button.thread-link",
      { type: "button", onclick },
      `${count} ${count === 1 ? "reply" : "replies"}`,
      icon("right", { size: 14 }),
    );
  return [link, start];
}

function pill({ name, count, users }, store) {
  const names = (users ?? []).map((id) => store.users.get(id)?.real_name ?? id).join(", ");
  return el("span.reaction", { title: names }, emoji(name) ?? `:${name}:`, ` ${count}`);
}

function replyCount(channel, message, store) {
  const replies =
    store.channels.get(channel)?.messages.filter((each) => each.thread_ts === message.ts && each.ts !== message.ts) ??
    [];
  return replies.length || (message.reply_count ?? 0);
}
