/** Where one types: Enter sends, Shift+Enter breaks the line, ↑ brings back what was sent, / completes commands. */

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { perform } from "../surface.js";
import { CompletionList } from "./completion_list.js";
import { asPhone } from "./phone.js";
import { whyClosed } from "./standing.js";
import { toast } from "./toasts.js";

const PHONE_KEY = "local-slack-phone";
const HISTORY_LENGTH = 50;
const sent = []; // shared by the composers of channel and thread, newest last

export class Composer {
  node = el("form.composer", { "aria-label": "Write" });
  #field = el("textarea.composer-field", { rows: 1, spellcheck: false, autocomplete: "off" });
  #phone = el(
    "button.icon-button.phone-button",
    { type: "button", "aria-label": "Type like a phone" },
    icon("phone", { size: 17 }),
    el("span.phone-word", {}, "Type like a phone"),
  );
  #preview = el("div.phone-preview", { "aria-live": "polite" });
  #offline = el("div.offline", { role: "status" });
  #send = el("button.send", { type: "submit", "aria-label": "Send", disabled: true }, icon("send", { size: 17 }));
  #box = el("div.composer-box");
  #back = 0;

  /** `where()` gives `{channel, thread_ts?}` at the time of sending. */
  constructor(store, where) {
    this.store = store;
    this.where = where;
    this.completions = new CompletionList(store, this.#field, (text) => this.#set(text, { completes: true }));
    this.#box.append(
      this.completions.node,
      this.#field,
      el("div.composer-tools", {}, this.#phone, this.#preview, this.#send),
    );
    this.node.append(this.#offline, this.#box);
    this.node.addEventListener("submit", (event) => this.#submitted(event));
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => this.#typed());
    this.#phone.addEventListener("click", () => this.#togglePhone());
    for (const kind of ["connection", "state", "phone"]) store.on(kind, () => this.refresh());
    this.#showPhone();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Take over where one is, and who is connected. */
  refresh() {
    const { channels, app, me } = this.store;
    const { channel: id, thread_ts: thread } = this.where();
    const channel = channels.get(id);
    const name = channel?.is_im ? app.name : `#${channel?.name}`;
    this.#field.placeholder = thread ? "Reply…" : `Message ${name}, or / for commands`;
    this.#field.setAttribute("aria-label", thread ? "Reply in the thread" : `Message to ${name}`);
    const closed = whyClosed(channel, me);
    this.#box.hidden = Boolean(closed);
    this.#showTrouble(closed);
    this.#showPhone();
  }

  #showTrouble(closed) {
    const { app, appConnected, reachable } = this.store;
    const offline = appConnected
      ? null
      : `${app.name} is not connected: commands and buttons will not be answered until it is.`;
    const trouble = reachable ? (closed ?? offline) : "Connection to the local Slack lost; trying again…";
    this.#offline.hidden = !trouble;
    this.#offline.replaceChildren(icon(closed && reachable ? "lock" : "plug", { size: 16 }), trouble ?? "");
  }

  #submitted(event) {
    event.preventDefault();
    const typed = this.#field.value.trim();
    if (!typed) return;
    this.#remember(typed);
    this.#set("");
    this.#deliver(phoneIsOn() ? asPhone(typed) : typed, typed);
  }

  async #deliver(text, typed) {
    const { channel, thread_ts: thread } = this.where();
    const command = text.startsWith("/");
    if (command && thread) return toast(`${text.split(/\s/)[0]} is not supported in threads.`, "warning");
    const body = { user: this.store.me.id, channel, text, ...(thread ? { thread_ts: thread } : {}) };
    const answer = await perform(command ? "command" : "say", body);
    if (!answer && !this.#field.value) this.#set(typed); // nothing was sent: give it back
    return answer;
  }

  #remember(text) {
    if (sent.at(-1) !== text) sent.push(text);
    if (sent.length > HISTORY_LENGTH) sent.shift();
    this.#back = 0;
  }

  #key(event) {
    if (this.completions.key(event) || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.node.requestSubmit();
    } else if (event.key === "ArrowUp" && (this.#field.value === "" || this.#back > 0)) this.#recall(event, 1);
    else if (event.key === "ArrowDown" && this.#back > 0) this.#recall(event, -1);
  }

  #recall(event, step) {
    event.preventDefault();
    this.#back = Math.max(0, Math.min(sent.length, this.#back + step));
    this.#set(this.#back ? sent.at(-this.#back) : "");
  }

  #typed() {
    this.#back = 0;
    this.#fit();
    this.completions.refresh();
  }

  #set(text, { completes = false } = {}) {
    this.#field.value = text;
    this.#field.setSelectionRange(text.length, text.length);
    this.#fit();
    if (completes) this.completions.refresh();
    else this.completions.hide();
    this.focus();
  }

  #fit() {
    const field = this.#field;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
    this.#send.disabled = !field.value.trim();
    const changed = phoneIsOn() && field.value.trim() && asPhone(field.value.trim()) !== field.value.trim();
    this.#preview.textContent = changed ? `Sends ${asPhone(field.value.trim()).replaceAll("\u00a0", "␣")}` : "";
  }

  #togglePhone() {
    localStorage.setItem(PHONE_KEY, phoneIsOn() ? "off" : "on");
    this.store.emit("phone"); // there is a second composer in a thread
    this.#fit();
    this.focus();
  }

  #showPhone() {
    this.#phone.setAttribute("aria-pressed", String(phoneIsOn()));
    this.#phone.title = "Sends what a phone’s keyboard makes of it: — for --, curly quotes, a capital, no-break spaces";
  }
}

function phoneIsOn() {
  return localStorage.getItem(PHONE_KEY) === "on";
}
