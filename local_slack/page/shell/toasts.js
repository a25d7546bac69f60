/** Short notes at the top of the window, read out by screen readers; errors stay until they are closed. */

import { el } from "../dom.js";
import { icon } from "../icons.js";

const SHOWN_MS = 6_000;

export function toast(text, level = "info") {
  const region = document.getElementById("toasts");
  const close = el("button.icon-button", { type: "button", "aria-label": "Dismiss" }, icon("close", { size: 16 }));
  const note = el("div.toast", { data: { level } }, icon(level), el("span", {}, text), close);
  close.addEventListener("click", () => note.remove());
  while (region.childElementCount >= 4) region.firstElementChild.remove();
  region.append(note);
  region.hidePopover?.();
  region.showPopover?.(); // into the top layer again, above a modal that was opened meanwhile
  if (level !== "error") setTimeout(() => note.remove(), SHOWN_MS);
}
