/** A panel that opens beside a button, above everything (also above a modal), and closes on Escape or a click elsewhere. */

import { el } from "../dom.js";

const GAP = 6;

/** Open `content` at `anchor`. Gives back the way to close it; `onclose` runs once, however it closes. */
export function openPanel(anchor, content, { onclose, wide = false } = {}) {
  const panel = el("div.panel", { popover: "auto" }, content);
  (anchor.closest("dialog") ?? document.body).append(panel);
  panel.showPopover();
  const put = () => position(panel, anchor, wide);
  put();
  addEventListener("resize", put);
  const scrolled = (event) => panel.contains(event.target) || put();
  addEventListener("scroll", scrolled, true);
  panel.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    removeEventListener("resize", put);
    removeEventListener("scroll", scrolled, true);
    panel.remove();
    onclose?.();
  });
  return () => panel.isConnected && panel.hidePopover();
}

/** Below the anchor, or above it where there is more room; never outside the window. */
function position(panel, anchor, wide) {
  const box = anchor.getBoundingClientRect();
  const room = innerHeight - box.bottom - GAP * 2;
  const above = room < Math.min(panel.scrollHeight, 220) && box.top > room;
  panel.style.maxHeight = `${Math.max(120, Math.min(340, above ? box.top - GAP * 2 : room))}px`;
  if (wide) panel.style.minWidth = `${Math.max(box.width, 180)}px`;
  const left = Math.min(box.left, innerWidth - panel.offsetWidth - GAP);
  panel.style.left = `${Math.max(GAP, left)}px`;
  panel.style.top = above ? "auto" : `${box.bottom + GAP}px`;
  panel.style.bottom = above ? `${innerHeight - box.top + GAP}px` : "auto"; // filtering shrinks it towards the button
}
