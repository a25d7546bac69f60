/** The little box beside the pointer with the values of one category. */

import { clear, el } from "../dom.js";

export class Tooltip {
  node = el("div.tooltip", { hidden: true, role: "status" });
  #stage;

  constructor(stage) {
    this.#stage = stage;
  }

  /** `rows` are `[name, value, index of its colour]`; `x` is in pixels of the stage. */
  show(x, title, rows) {
    clear(
      this.node,
      title && el("strong", {}, title),
      rows.map(([name, value, index]) =>
        el(
          "div",
          {},
          el("i", { style: { background: `var(--series-${(index % 12) + 1})` } }),
          el("span", {}, name),
          el("b", {}, value),
        ),
      ),
    );
    this.node.hidden = false;
    const room = this.#stage.clientWidth - this.node.offsetWidth;
    const beside = x + 14 > room ? x - this.node.offsetWidth - 14 : x + 14;
    this.node.style.left = `${Math.max(0, Math.min(room, beside))}px`;
  }

  hide() {
    this.node.hidden = true;
  }
}
