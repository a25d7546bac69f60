/** A titled box of blocks, which may fold. */

import { el, freshId } from "../dom.js";
import { icon } from "../icons.js";
import { richText } from "../text/rich_text.js";
import { textObject } from "../text/text_object.js";
import { inner } from "./block_list.js";
import { drawBlock } from "./registry.js";
import { pictureAddress } from "./simple.js";

export function container(block, place) {
  const body = el(
    "div.container-body",
    { id: freshId("container") },
    block.child_blocks.map((child, index) => drawBlock(child, inner(place, `${child.type} ${index}`, child.block_id))),
  );
  const head = block.is_collapsible ? folding(block, place, body) : el("div.container-head", {}, heading(block, place));
  const divided = block.has_header_divider ? ".divided" : "";
  return el(`div.container${divided}`, { data: { width: block.width ?? "standard" } }, head, body);
}

function heading(block, place) {
  const title = block.rich_text_title
    ? richText(block.rich_text_title, place.store)
    : textObject(block.title, place.store);
  const picture =
    block.icon && el("img.container-icon", { src: pictureAddress(block.icon), alt: block.icon.alt_text ?? "" });
  const subtitle = block.subtitle && el("div.container-subtitle", {}, textObject(block.subtitle, place.store));
  return [picture, el("div.container-titles", {}, el("div.container-title", {}, title), subtitle)];
}

function folding(block, place, body) {
  const memory = place.memory;
  memory.folded ??= Boolean(block.default_collapsed);
  const button = el(
    "button.container-head.folding",
    { type: "button", "aria-controls": body.id, data: { focus: "fold" } },
    heading(block, place),
    el("span.container-caret", {}, icon("down")),
  );
  const show = () => {
    body.hidden = memory.folded;
    button.setAttribute("aria-expanded", String(!memory.folded));
  };
  button.addEventListener("click", () => {
    memory.folded = !memory.folded;
    show();
  });
  show();
  return button;
}
