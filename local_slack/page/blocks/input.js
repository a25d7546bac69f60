/** An input block: label, element, hint, and the place where its error appears. */

import { el, freshId } from "../dom.js";
import { drawElement } from "../elements/registry.js";
import { icon } from "../icons.js";
import { withEmoji } from "../text/emoji.js";
import { inner } from "./block_list.js";

export function input(block, place) {
  const ids = { label: freshId("label"), hint: freshId("hint"), error: freshId("error") };
  const within = inner(place, block.element.action_id ?? "element");
  within.input = {
    labelledBy: ids.label,
    describedBy: `${ids.hint} ${ids.error}`,
    dispatches: Boolean(block.dispatch_action),
    optional: Boolean(block.optional),
  };
  const label = el(
    "div.input-label",
    { id: ids.label },
    withEmoji(block.label.text),
    block.optional && el("span.optional", {}, " (optional)"),
  );
  const control = drawElement(block.element, within);
  label.addEventListener("click", () => control.querySelector("input, textarea, button")?.focus());
  const hint = el("div.input-hint", { id: ids.hint }, block.hint && withEmoji(block.hint.text));
  const error = el("div.input-error", { id: ids.error, role: "alert", hidden: true });
  return el("div.input-block", { data: { blockId: block.block_id } }, label, control, error, hint);
}

/** Show (or, with no text, take away) what is wrong with the input of this block. */
export function showInputError(node, text) {
  const error = node.querySelector(".input-error");
  error.hidden = !text;
  error.replaceChildren(...(text ? [icon("error", { size: 15 }), el("span", {}, text)] : []));
  node.classList.toggle("has-error", Boolean(text));
  for (const control of node.querySelectorAll("input, textarea, [role=combobox]")) {
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
}
