/** The rich_text block: sections, lists, quotes and preformatted text, with styled elements inside. */

import { el, fragment } from "../dom.js";
import { dateNode } from "./dates.js";
import { emoji } from "./emoji.js";
import { broadcast, channelMention, groupMention, link, userMention } from "./links.js";

const STYLE_TAGS = [
  ["code", "code"],
  ["bold", "strong"],
  ["italic", "em"],
  ["strike", "s"],
  ["underline", "u"],
];

const CONTAINERS = {
  rich_text_section: (part, store) => el("div.rich-section", {}, inlines(part.elements, store)),
  rich_text_preformatted: (part, store) => el("pre.fence", { tabIndex: 0 }, inlines(part.elements, store)),
  rich_text_quote: (part, store) => el("blockquote", {}, inlines(part.elements, store)),
  rich_text_list: list,
};

/** The elements of a `rich_text` block (or a `rich_text` table cell) as nodes. */
export function richText(block, store) {
  return fragment((block.elements ?? []).map((part) => (CONTAINERS[part.type] ?? unknown)(part, store)));
}

/** Its characters alone: what a table sorts by. */
export function richTextPlain(part) {
  if (typeof part.text === "string") return part.text;
  if (part.elements) return part.elements.map(richTextPlain).join("");
  return part.name ?? part.user_id ?? part.channel_id ?? part.usergroup_id ?? part.url ?? "";
}

function list(part, store) {
  const ordered = part.style === "ordered";
  const items = part.elements.map((item) => el("li", {}, inlines(item.elements, store)));
  const properties = { style: { "--indent": part.indent ?? 0 }, data: { depth: (part.indent ?? 0) % 3 } };
  if (ordered) properties.start = (part.offset ?? 0) + 1;
  return el(`${ordered ? "ol" : "ul"}.rich-list`, properties, items);
}

function inlines(elements, store) {
  return (elements ?? []).map((element) => styled(element, inlineNode(element, store)));
}

function inlineNode(element, store) {
  switch (element.type) {
    case "text":
      return element.text;
    case "link":
      return link(element.url, element.text || element.url);
    case "emoji":
      return emoji(element.name) ?? `:${element.name}:`;
    case "user":
      return userMention(store, element.user_id);
    case "channel":
      return channelMention(store, element.channel_id);
    case "usergroup":
      return groupMention(store, element.usergroup_id);
    case "broadcast":
      return broadcast(element.range);
    case "date":
      return dateNode(element.timestamp, element.format, element.fallback, element.url);
    case "color":
      return el("span.swatch", { style: { "--swatch": element.value } }, element.value);
    default:
      return unknown(element);
  }
}

function styled(element, node) {
  return STYLE_TAGS.reduce((inner, [style, tag]) => (element.style?.[style] ? el(tag, {}, inner) : inner), node);
}

function unknown(part) {
  return el(
    "span.unknown-inline",
    { title: JSON.stringify(part) },
    `[${part.type}: ${richTextPlain(part) || "cannot be shown here"}]`,
  );
}
