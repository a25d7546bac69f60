/** The `markdown` block: a subset of CommonMark (headings, lists, quotes, fences, rules, tables) as nodes. */

import { el, fragment } from "../dom.js";
import { markdownInline } from "./markdown_inline.js";

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const DELIMITER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Each reader takes the lines and a place, and gives `[node, next place]`, or null when it is not its turn. */
const READERS = [fenced, heading, rule, quoted, list, table, paragraph];

export function markdown(text) {
  return blocks(
    String(text ?? "")
      .replaceAll("\r\n", "\n")
      .split("\n"),
  );
}

function blocks(lines) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [node, next] = READERS.reduce((found, read) => found ?? read(lines, at), null);
    nodes.push(node);
    at = next;
  }
  return fragment(nodes);
}

function fenced(lines, at) {
  const opening = FENCE.exec(lines[at]);
  if (!opening) return null;
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(opening[1])) end += 1;
  const code = lines.slice(at + 1, end).join("\n");
  return [el("pre.fence", { tabIndex: 0, data: { language: opening[2] } }, code), end + 1];
}

function heading(lines, at) {
  const found = HEADING.exec(lines[at]);
  return (
    found && [
      el(
        `h${Math.min(6, found[1].length + 2)}.md-heading`,
        { data: { level: found[1].length } },
        markdownInline(found[2]),
      ),
      at + 1,
    ]
  );
}

function rule(lines, at) {
  return RULE.test(lines[at]) ? [el("hr"), at + 1] : null;
}

function quoted(lines, at) {
  if (!QUOTE.test(lines[at])) return null;
  let end = at;
  while (end < lines.length && lines[end].trim() && (QUOTE.test(lines[end]) || end > at)) end += 1;
  return [el("blockquote", {}, blocks(lines.slice(at, end).map((line) => line.replace(QUOTE, "")))), end];
}

/** A list and, by indentation, what lies within its items. */
function list(lines, at) {
  const first = ITEM.exec(lines[at]);
  if (!first) return null;
  const depth = first[1].length;
  const ordered = /\d/.test(first[2]);
  const items = [];
  let here = at;
  while (here < lines.length) {
    const found = ITEM.exec(lines[here]);
    if (!found || found[1].length !== depth || /\d/.test(found[2]) !== ordered) break;
    const end = endOfItem(lines, here, depth);
    items.push(item(found[3], lines.slice(here + 1, end)));
    here = end;
    while (here < lines.length && !lines[here].trim() && ITEM.test(lines[here + 1] ?? "")) here += 1;
  }
  const properties = ordered ? { start: parseInt(first[2], 10) } : {};
  return [el(`${ordered ? "ol" : "ul"}.md-list`, properties, items), here];
}

function endOfItem(lines, at, depth) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && /^\s*/.exec(lines[end])[0].length > depth) end += 1;
  return end;
}

function item(text, below) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(text);
  const indent = Math.min(...below.map((line) => /^\s*/.exec(line)[0].length), 99);
  const inner = below.length ? blocks(below.map((line) => line.slice(indent))) : null;
  if (!task) return el("li", {}, markdownInline(text), inner);
  const box = el("input", { type: "checkbox", checked: task[1] !== " ", disabled: true });
  return el("li.to-do", {}, box, " ", markdownInline(task[2]), inner);
}

function table(lines, at) {
  if (!lines[at].includes("|") || !DELIMITER.test(lines[at + 1] ?? "") || !lines[at + 1].includes("-")) return null;
  const aligns = cells(lines[at + 1]).map(alignment);
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && lines[end].trim()) end += 1;
  const head = el("thead", {}, row(lines[at], "th", aligns));
  const body = el(
    "tbody",
    {},
    lines.slice(at + 2, end).map((line) => row(line, "td", aligns)),
  );
  return [
    el(
      "div.table-scroll",
      { tabIndex: 0, role: "group", "aria-label": "Table" },
      el("table.plain-table", {}, head, body),
    ),
    end,
  ];
}

function row(line, tag, aligns) {
  const found = cells(line);
  return el(
    "tr",
    {},
    aligns.map((align, index) => el(tag, { style: { "text-align": align } }, markdownInline(found[index] ?? ""))),
  );
}

function cells(line) {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function alignment(mark) {
  if (mark.startsWith(":") && mark.endsWith(":")) return "center";
  return mark.endsWith(":") ? "right" : "left";
}

function paragraph(lines, at) {
  let end = at + 1;
  const ends = (line) => !line.trim() || [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line));
  while (end < lines.length && !ends(lines[end])) end += 1;
  return [el("p", {}, markdownInline(lines.slice(at, end).join("\n"))), end];
}
