/** The inline half of the `markdown` block: a subset of CommonMark (emphasis, code, links, strikes, escapes, breaks). */

import { el } from "../dom.js";
import { emoji } from "./emoji.js";
import { link } from "./links.js";

/** Each rule: what it looks like at this very place (sticky), and what it becomes. The first that fits wins. */
const RULES = [
  [/\\([\\`*_{}[\]()#+\-.!|~>])/y, ([, character]) => character],
  [/(`+)([\s\S]*?[^`])\1(?!`)/y, ([, , code]) => el("code", {}, code.trim())],
  [/!?\[([^\]]*)\]\(([^()\s]+)(?:\s+"[^"]*")?\)/y, ([, label, url]) => link(url, label ? markdownInline(label) : url)],
  [/<((?:https?|mailto):[^\s<>]+)>/y, ([, url]) => link(url)],
  [/https?:\/\/[^\s<>()]+[^\s<>().,:;!?'"]/y, ([url]) => link(url)],
  [/\*\*\*(?=\S)([\s\S]*?\S)\*\*\*/y, ([, text]) => el("strong", {}, el("em", {}, markdownInline(text)))],
  [/\*\*(?=\S)([\s\S]*?\S)\*\*(?!\*)/y, ([, text]) => el("strong", {}, markdownInline(text))],
  [/(?<![\p{L}\p{N}_])__(?=\S)([\s\S]*?\S)__(?![\p{L}\p{N}_])/uy, ([, text]) => el("strong", {}, markdownInline(text))],
  [/\*(?=[^\s*])([\s\S]*?[^\s*])\*(?!\*)/y, ([, text]) => el("em", {}, markdownInline(text))],
  [
    /(?<![\p{L}\p{N}_])_(?=[^\s_])([\s\S]*?[^\s_])_(?![\p{L}\p{N}_])/uy,
    ([, text]) => el("em", {}, markdownInline(text)),
  ],
  [/~~(?=\S)([\s\S]*?\S)~~/y, ([, text]) => el("s", {}, markdownInline(text))],
  [/:([a-z0-9_+-]+):/y, ([whole, name]) => emoji(name) ?? whole],
  [/&(amp|lt|gt|quot);/y, ([, name]) => ({ amp: "&", lt: "<", gt: ">", quot: '"' })[name]],
  [/(?: {2,}|\\)\n/y, () => el("br")],
];

/** Inline Markdown as a list of nodes and strings. */
export function markdownInline(text) {
  const nodes = [];
  let from = 0;
  let at = 0;
  while (at < text.length) {
    const found = match(text, at);
    if (!found) {
      at += 1;
      continue;
    }
    nodes.push(text.slice(from, at), found.node);
    at = from = at + found.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

function match(text, at) {
  for (const [pattern, make] of RULES) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) return { node: make(found), length: found[0].length };
  }
  return null;
}
