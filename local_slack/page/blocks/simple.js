/** The blocks that are mostly text: section, header, divider, context, actions, context_actions, image. */

import { el } from "../dom.js";
import { drawElement } from "../elements/registry.js";
import { mrkdwn } from "../text/mrkdwn.js";
import { textObject } from "../text/text_object.js";
import { withEmoji } from "../text/emoji.js";
import { inner } from "./block_list.js";

export function section(block, place) {
  const text = block.text && el("div.section-text", {}, textObject(block.text, place.store));
  const fields =
    block.fields?.length &&
    el(
      "div.facts",
      {},
      block.fields.map((field) => el("div.fact", {}, textObject(field, place.store))),
    );
  const accessory = block.accessory && el("div.accessory", {}, drawElement(block.accessory, inner(place, "accessory")));
  return el(`div.section${accessory ? ".has-accessory" : ""}`, {}, el("div.section-main", {}, text, fields), accessory);
}

export function header(block) {
  return el("h3.header-block", {}, withEmoji(block.text.text));
}

export function divider() {
  return el("hr.divider");
}

export function context(block, place) {
  return el(
    "div.context",
    {},
    block.elements.map((element) => {
      if (element.type === "image")
        return el("img.context-image", { src: pictureAddress(element), alt: element.alt_text ?? "" });
      return el("span", {}, element.type === "mrkdwn" ? mrkdwn(element.text, place.store) : withEmoji(element.text));
    }),
  );
}

export function actions(block, place) {
  return el(
    "div.actions",
    {},
    (block.elements ?? []).map((element, index) => drawElement(element, inner(place, element.action_id ?? index))),
  );
}

export function contextActions(block, place) {
  const row = actions(block, place);
  row.classList.add("context-actions");
  return row;
}

export function image(block) {
  const title = block.title && el("figcaption", {}, withEmoji(block.title.text));
  return el(
    "figure.image-block",
    {},
    title,
    el("img", { src: pictureAddress(block), alt: block.alt_text ?? "", loading: "lazy" }),
  );
}

/** Where a picture's bytes are: its address, or the file that was uploaded to this Slack. */
export function pictureAddress(element) {
  const address =
    element.image_url ?? element.slack_file?.url ?? (element.slack_file ? `/files/${element.slack_file.id}` : "");
  return /^(https?:|\/|data:image\/)/i.test(address) ? address : "";
}
