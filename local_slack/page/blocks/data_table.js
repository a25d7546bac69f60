/** The data_table block: sorted by clicking a column's head (numbers by their value), in pages of `page_size`. */

import { clear, el } from "../dom.js";
import { icon } from "../icons.js";
import { cellContent, cellText, scrolling } from "./table.js";

const DEFAULT_PAGE_SIZE = 5;
const WORDS = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export function dataTable(block, place) {
  const memory = place.memory; // { sort: {column, descending} | undefined, page: 0-based }
  memory.page ??= 0;
  const view = {
    block,
    place,
    memory,
    size: block.page_size ?? DEFAULT_PAGE_SIZE,
    numeric: numericColumns(block.rows),
  };
  const grid = el("table.data-table", {}, el("caption.visually-hidden", {}, block.caption));
  const pager = el("div.pager");
  const redraw = () => {
    clear(grid, el("caption.visually-hidden", {}, block.caption), head(view, redraw), bodyOf(view));
    clear(pager, ...pagerOf(view, redraw));
  };
  redraw();
  return el(
    "div.data-table-block",
    {},
    el("div.table-caption", { "aria-hidden": "true" }, block.caption),
    scrolling(grid, block.caption, memory),
    pager,
  );
}

/** A column with numbers is aligned to the right, also where a cell says "unknown" instead. */
function numericColumns([, ...rows]) {
  return rows[0].map((_, column) => rows.some((row) => row[column].type === "raw_number"));
}

function head(view, redraw) {
  const cells = view.block.rows[0].map((cell, column) => {
    const order =
      view.memory.sort?.column === column ? (view.memory.sort.descending ? "descending" : "ascending") : "none";
    const button = el(
      "button.sort",
      { type: "button", data: { focus: `sort ${column}` } },
      cellContent(cell, view.place),
      sortMark(order),
    );
    button.addEventListener("click", () => {
      view.memory.sort = nextSort(view.memory.sort, column);
      view.memory.page = 0;
      redrawAndKeepFocus(button, redraw);
    });
    return el(`th${view.numeric[column] ? ".number" : ""}`, { scope: "col", "aria-sort": order }, button);
  });
  return el("thead", {}, el("tr", {}, cells));
}

function sortMark(order) {
  const mark = icon({ ascending: "up", descending: "down", none: "sort" }[order], { size: 13 });
  mark.classList.add("sort-mark");
  return mark;
}

/** First click up, second down, third as it was sent. */
function nextSort(sort, column) {
  if (sort?.column !== column) return { column, descending: false };
  return sort.descending ? undefined : { column, descending: true };
}

function redrawAndKeepFocus(button, redraw) {
  const root = button.closest(".data-table-block");
  const focus = button.dataset.focus;
  redraw();
  const again =
    root.querySelector(`[data-focus="${focus}"]:not(:disabled)`) ?? root.querySelector(".pager button:not(:disabled)");
  again?.focus({ preventScroll: true });
}

function bodyOf(view) {
  const rowHead = view.block.row_header_column_index ?? 0;
  const rows = sortedRows(view);
  view.memory.page = Math.min(view.memory.page, lastPage(view));
  const from = view.memory.page * view.size;
  return el(
    "tbody",
    {},
    rows.slice(from, from + view.size).map((row) =>
      el(
        "tr",
        {},
        row.map((cell, column) => {
          const classes = view.numeric[column] ? ".number" : "";
          const content = cellContent(cell, view.place);
          return column === rowHead ? el(`th${classes}`, { scope: "row" }, content) : el(`td${classes}`, {}, content);
        }),
      ),
    ),
  );
}

function sortedRows({ block, memory }) {
  const rows = block.rows.slice(1);
  if (!memory.sort || memory.sort.column >= block.rows[0].length) return rows;
  const { column, descending } = memory.sort;
  const ordered = rows.sort((a, b) => compare(a[column], b[column]));
  return descending ? ordered.reverse() : ordered;
}

/** Numbers before words, each in its own order. */
function compare(a, b) {
  const [left, right] = [a, b].map((cell) => (cell.type === "raw_number" ? cell.value : null));
  if (left !== null && right !== null) return left - right;
  if (left !== null || right !== null) return left === null ? 1 : -1;
  return WORDS.compare(cellText(a), cellText(b));
}

function lastPage({ block, size }) {
  return Math.max(0, Math.ceil((block.rows.length - 1) / size) - 1);
}

function pagerOf(view, redraw) {
  const total = view.block.rows.length - 1;
  const from = view.memory.page * view.size;
  const range = el(
    "span.range",
    { "aria-live": "polite" },
    `${from + 1}–${Math.min(total, from + view.size)} of ${total}`,
  );
  if (total <= view.size) return [el("span.range", {}, `${total} ${total === 1 ? "row" : "rows"}`)];
  const step = (by, name, label, disabled) => {
    const button = el(
      "button.icon-button",
      { type: "button", disabled, "aria-label": label, data: { focus: label } },
      icon(name, { size: 16 }),
    );
    button.addEventListener("click", () => {
      view.memory.page += by;
      redrawAndKeepFocus(button, redraw);
    });
    return button;
  };
  return [
    range,
    step(-1, "left", "Previous page", view.memory.page === 0),
    step(1, "right", "Next page", view.memory.page >= lastPage(view)),
  ];
}
