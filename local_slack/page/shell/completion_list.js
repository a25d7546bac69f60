/** The list above the composer. Tab takes the first or the marked suggestion; arrows mark; Enter takes a marked one. */

import { clear, el, freshId } from "../dom.js";
import { suggestions } from "./completions.js";

export class CompletionList {
  node = el("div.completions", { role: "listbox", "aria-label": "Commands", hidden: true, id: freshId("completions") });
  #items = [];
  #marked = -1;

  constructor(store, field, take) {
    this.store = store;
    this.field = field;
    this.take = take;
    field.setAttribute("aria-controls", this.node.id);
    field.setAttribute("aria-autocomplete", "list");
    field.addEventListener("blur", () => setTimeout(() => this.hide(), 120)); // a click on a suggestion comes first
  }

  refresh() {
    this.#items = suggestions(this.field.value, this.store);
    this.#marked = -1;
    clear(
      this.node,
      this.#items.map((item, index) => this.#line(item, index)),
      el("div.completion-help", {}, "Tab to complete · ↑ ↓ to choose · Esc to close"),
    );
    this.node.hidden = this.#items.length === 0;
  }

  hide() {
    this.node.hidden = true;
    this.#marked = -1;
    this.field.removeAttribute("aria-activedescendant");
  }

  /** Whether the key was for the list. */
  key(event) {
    if (this.node.hidden) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step)
      this.#mark(
        (this.#marked + step + this.#items.length + (this.#marked < 0 && step < 0 ? 1 : 0)) % this.#items.length,
      );
    else if (event.key === "Tab" && !event.shiftKey) this.#choose(Math.max(0, this.#marked));
    else if (event.key === "Enter" && this.#marked >= 0) this.#choose(this.#marked);
    else if (event.key === "Escape") this.hide();
    else return false;
    event.preventDefault();
    return true;
  }

  #line({ text, description }, index) {
    const line = el(
      "div.completion",
      { role: "option", id: freshId("completion") },
      el("code", {}, text.trim()),
      el("span", {}, description),
    );
    line.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.#choose(index);
    });
    return line;
  }

  #mark(index) {
    this.#marked = index;
    [...this.node.querySelectorAll(".completion")].forEach((line, at) =>
      line.setAttribute("aria-selected", String(at === index)),
    );
    const line = this.node.querySelectorAll(".completion")[index];
    this.field.setAttribute("aria-activedescendant", line.id);
    line.scrollIntoView({ block: "nearest" });
  }

  #choose(index) {
    this.hide();
    this.take(this.#items[index].text);
  }
}
