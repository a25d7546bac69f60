/** Cards, and the carousel that puts them in a row. */

import { el } from "../dom.js";
import { drawElement } from "../elements/registry.js";
import { icon } from "../icons.js";
import { textObject } from "../text/text_object.js";
import { inner } from "./block_list.js";
import { pictureAddress } from "./simple.js";

export function card(block, place) {
  const part = (name, object) => object && el(`div.card-${name}`, {}, textObject(object, place.store));
  const hero =
    block.hero_image &&
    el("img.card-hero", { src: pictureAddress(block.hero_image), alt: block.hero_image.alt_text ?? "" });
  const titles =
    (block.title || block.subtitle) &&
    el("div.card-titles", {}, part("title", block.title), part("subtitle", block.subtitle));
  const head = (titles || cardIcon(block)) && el("div.card-head", {}, cardIcon(block), titles);
  const buttons =
    block.actions?.length &&
    el(
      "div.actions",
      {},
      block.actions.map((element, index) => drawElement(element, inner(place, element.action_id ?? index))),
    );
  return el("div.card", {}, hero, head, part("body", block.body), part("subtext", block.subtext), buttons);
}

function cardIcon(block) {
  if (block.icon) return el("img.card-icon", { src: pictureAddress(block.icon), alt: block.icon.alt_text ?? "" });
  return block.slack_icon && el("span.card-icon", {}, icon(block.slack_icon.name, { size: 20 }));
}

export function carousel(block, place) {
  const cards = block.elements.map((element, index) => card(element, inner(place, index, element.block_id)));
  return el("div.carousel", { tabIndex: 0, role: "group", "aria-label": "Cards" }, cards);
}
