/** Slack's mrkdwn: *bold*, _italic_, ~strike~, `code`, fences, quotes, <links|and mentions>, :emoji:, &amp; &lt; &gt;. */

import { el, fragment } from "../dom.js";
import { dateNode } from "./dates.js";
import { emoji } from "./emoji.js";
import { broadcast, channelMention, groupMention, link, userMention } from "./links.js";

const FENCE = /```([\s\S]+?)```/;
const QUOTED = /^(?:>|&gt;) ?/;
const STYLE_TAGS = { "*": "strong", _: "em", "~": "s" };

/** Text as mrkdwn: a fragment of nodes. `store` gives the names behind ids. */
export function mrkdwn(text, store) {
  const parts = String(text ?? "").split(FENCE);
  return fragment(parts.map((part, index) => (index % 2 ? fence(part, store) : paragraphs(part, store, parts, index))));
}

/** Undo the three escapes that Slack's text has. */
export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function fence(code, store) {
  return el("pre.fence", { tabIndex: 0 }, references(code.replace(/^\n/, "").replace(/\n$/, ""), store));
}

/** Lines, with runs of quoted ones gathered. A line break next to a fence belongs to the fence. */
function paragraphs(text, store, parts, index) {
  let body = text;
  if (index > 0) body = body.replace(/^\n/, "");
  if (index < parts.length - 1) body = body.replace(/\n$/, "");
  const nodes = [];
  for (const run of runs(body.split("\n"))) {
    const content = inline(run.lines.join("\n"), store);
    if (run.quoted) nodes.push(el("blockquote", {}, content));
    else nodes.push(nodes.length && !lastIsQuote(nodes) ? "\n" : "", ...content);
  }
  return nodes;
}

function lastIsQuote(nodes) {
  return nodes.at(-1)?.nodeName === "BLOCKQUOTE";
}

function runs(lines) {
  const found = [];
  for (const line of lines) {
    const quoted = QUOTED.test(line);
    const bare = quoted ? line.replace(QUOTED, "") : line;
    if (found.at(-1)?.quoted === quoted) found.at(-1).lines.push(bare);
    else found.push({ quoted, lines: [bare] });
  }
  return found;
}

const TOKEN = /<([^<>\n]+)>|`([^`\n]+)`|:([a-z0-9_+-]+):|([*_~])/g;

function inline(text, store) {
  const nodes = [];
  let from = 0;
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) {
    const taken = take(found, text, store);
    if (!taken) continue;
    nodes.push(unescape(text.slice(from, found.index)), taken.node);
    from = taken.end;
    TOKEN.lastIndex = from; // `inline` calls itself, which moves this shared mark
  }
  nodes.push(unescape(text.slice(from)));
  return nodes.filter((node) => node !== "");
}

/** The node that starts at this token and where it ends, or null when the characters are only characters. */
function take(found, text, store) {
  const [whole, reference, code, name, mark] = found;
  const end = found.index + whole.length;
  if (reference) return { node: referenceNode(reference, store), end };
  if (code) return { node: el("code", {}, references(code, store)), end };
  if (name) return emoji(name) && { node: emoji(name), end };
  return styled(mark, found.index, text, store);
}

function styled(mark, start, text, store) {
  const close = closing(mark, start, text);
  const node = close < 0 ? null : el(STYLE_TAGS[mark], {}, inline(text.slice(start + 1, close), store));
  TOKEN.lastIndex = start + 1;
  return node && { node, end: close + 1 };
}

/** A mark opens after a non-word and before a non-space, and closes the other way round, on the same line. */
function closing(mark, start, text) {
  if (/[\p{L}\p{N}]/u.test(text[start - 1] ?? " ") || /[\s]/.test(text[start + 1] ?? " ") || text[start + 1] === mark)
    return -1;
  for (let at = start + 2; at < text.length && text[at] !== "\n"; at += 1) {
    const closes = text[at] === mark && !/\s/.test(text[at - 1]) && !/[\p{L}\p{N}]/u.test(text[at + 1] ?? " ");
    if (closes) return at;
  }
  return -1;
}

/** Code keeps its characters, but Slack still resolves what stands in <angle brackets> there. */
function references(text, store) {
  return text.split(/<([^<>\n]+)>/).map((part, index) => (index % 2 ? referenceNode(part, store) : unescape(part)));
}

function referenceNode(reference, store) {
  const bar = reference.indexOf("|");
  const target = bar < 0 ? reference : reference.slice(0, bar);
  const label = bar < 0 ? "" : unescape(reference.slice(bar + 1));
  if (target.startsWith("@")) return userMention(store, target.slice(1), label);
  if (target.startsWith("#")) return channelMention(store, target.slice(1), label);
  if (target.startsWith("!")) return special(target.slice(1), label, store);
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return link(unescape(target), label || unescape(target));
  return `<${unescape(reference)}>`;
}

function special(command, label, store) {
  const [kind, ...rest] = command.split("^");
  if (kind === "date") return dateNode(rest[0], rest[1] ?? "{date}", label, rest[2]);
  if (kind === "subteam") return groupMention(store, rest[0], label);
  if (["here", "channel", "everyone"].includes(kind)) return broadcast(kind);
  return label || `<!${command}>`;
}
