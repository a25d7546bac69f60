/** The plain table block: cells of raw or rich text, aligned as its column settings say. */

import { el } from "../dom.js";
import { withEmoji } from "../text/emoji.js";
import { richText, richTextPlain } from "../text/rich_text.js";

export function table(block, place) {
  const settings = block.column_settings ?? [];
  const [head, ...body] = block.rows;
  const line = (cells, tag) =>
    el(
      "tr",
      {},
      cells.map((cell, index) => styledCell(tag, cell, settings[index], place)),
    );
  const grid = el(
    "table.plain-table",
    {},
    el("thead", {}, line(head, "th")),
    el(
      "tbody",
      {},
      body.map((cells) => line(cells, "td")),
    ),
  );
  return scrolling(grid, "Table", place.memory);
}

/** Wide tables scroll inside themselves; where they were is remembered over an edit. */
export function scrolling(grid, label, memory) {
  const box = el(
    "div.table-scroll",
    { tabIndex: 0, role: "group", "aria-label": label, data: { focus: "table" } },
    grid,
  );
  const more = el("button.more-columns", { type: "button", hidden: true, data: { focus: "more columns" } });
  more.addEventListener("click", () => box.scrollBy({ left: box.clientWidth * 0.7, behavior: "smooth" }));
  const frame = el("div.table-frame", {}, box, more);
  box.addEventListener(
    "scroll",
    () => {
      memory.scrolledTo = box.scrollLeft;
      tellMore(frame, box, grid, more);
    },
    { passive: true },
  );
  new ResizeObserver(() => tellMore(frame, box, grid, more)).observe(box);
  if (memory.scrolledTo)
    requestAnimationFrame(() => {
      box.scrollLeft = memory.scrolledTo;
    });
  return frame;
}

/** On a phone half of a table lies beyond its edge, and nothing else tells that it is there. */
function tellMore(frame, box, grid, more) {
  const edge = box.getBoundingClientRect().right;
  const cells = [...(grid.rows[0]?.cells ?? [])];
  const beyond = cells.filter((cell) => cell.getBoundingClientRect().right > edge + 2).length;
  frame.classList.toggle("has-more", beyond > 0);
  more.hidden = beyond === 0;
  more.textContent = `${beyond} more ${beyond === 1 ? "column" : "columns"} →`;
}

function styledCell(tag, cell, setting, place) {
  const style = setting?.align ? { "text-align": setting.align } : {};
  return el(`${tag}${setting?.is_wrapped ? ".wraps" : ""}`, { style }, cellContent(cell, place));
}

export function cellContent(cell, place) {
  if (cell?.type === "rich_text") return richText(cell, place.store);
  return withEmoji(cell?.text ?? String(cell?.value ?? ""));
}

export function cellText(cell) {
  return cell.type === "rich_text" ? richTextPlain(cell) : (cell.text ?? String(cell.value ?? ""));
}
