/** The open list of a select: a filter when it is long, groups, arrow keys, Enter and type-ahead by filtering. */

import { clear, el, freshId } from "../dom.js";
import { icon } from "../icons.js";
import { openPanel } from "./popover.js";

const FILTER_FROM = 8;

/**
 * Open the list at `button`. `pick(item)` is called for each choice; with `closes` the first one ends it.
 * `load(typed)`, if any, resolves to the groups for what is typed, instead of filtering `groups`.
 */
export function openList(button, groups, { isChosen, pick, closes, onclose, load }) {
  const { list, filter } = parts(closes);
  const state = { items: [], active: 0, filter, list, groups, isChosen, load };
  const choose = (entry) => {
    if (!entry) return;
    pick(entry.item);
    if (closes) close();
    else mark(state);
  };
  filter.hidden = !load && groups.reduce((count, group) => count + group.options.length, 0) < FILTER_FROM;
  button.setAttribute("aria-expanded", "true");
  button.setAttribute("aria-controls", list.id);
  filter.addEventListener("input", () => (load ? reload(state, choose) : fill(state, choose)));
  const panel = el("div.option-panel", {}, filter, list);
  panel.addEventListener("keydown", (event) => key(event, state, choose, close));
  fill(state, choose);
  const close = openPanel(button, panel, { wide: true, onclose: () => ended(button, onclose) });
  mark(state); // scrolls to what is chosen, now that there is something to scroll
  (filter.hidden ? list : filter).focus();
}

function parts(closes) {
  const list = el("div.options", {
    role: "listbox",
    id: freshId("options"),
    tabIndex: -1,
    "aria-multiselectable": String(!closes),
  });
  const filter = el("input.field.filter", {
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter the options",
    "aria-controls": list.id,
  });
  return { list, filter };
}

function ended(button, onclose) {
  button.setAttribute("aria-expanded", "false");
  if (document.activeElement === document.body) button.focus({ preventScroll: true });
  onclose?.();
}

function fill(state, choose) {
  const wanted = state.load ? "" : state.filter.value.trim().toLowerCase();
  state.items = [];
  const shown = state.groups.map((group) => {
    const fitting = group.options.filter((item) => item.text.toLowerCase().includes(wanted));
    const nodes = fitting.map((item) => entryNode(item, state, choose));
    return nodes.length
      ? el(
          "div",
          { role: "group", "aria-label": group.label },
          group.label && el("div.option-group", {}, group.label),
          nodes,
        )
      : null;
  });
  clear(
    state.list,
    state.groups.length && shown.some(Boolean)
      ? shown
      : el("div.option-none", {}, state.load ? "Type to search." : "Nothing fits."),
  );
  state.active = Math.max(
    0,
    state.items.findIndex((entry) => state.isChosen(entry.item)),
  );
  mark(state);
}

async function reload(state, choose) {
  const typed = state.filter.value;
  const groups = await state.load(typed);
  if (typed !== state.filter.value) return; // an answer to what is no longer asked
  state.groups = groups;
  fill(state, choose);
}

function entryNode(item, state, choose) {
  const node = el(
    "div.option",
    { role: "option", id: freshId("option") },
    icon("check", { size: 15 }),
    el("span", {}, item.label, item.description && el("small", {}, item.description)),
  );
  const entry = { item, node };
  node.addEventListener("click", () => choose(entry));
  node.addEventListener("pointermove", () => {
    state.active = state.items.indexOf(entry);
    mark(state, false);
  });
  state.items.push(entry);
  return node;
}

function mark(state, scrolls = true) {
  state.items.forEach((entry, index) => {
    entry.node.setAttribute("aria-selected", String(state.isChosen(entry.item)));
    entry.node.classList.toggle("active", index === state.active);
  });
  const active = state.items[state.active]?.node;
  for (const node of [state.filter, state.list]) node.setAttribute("aria-activedescendant", active?.id ?? "");
  if (scrolls) active?.scrollIntoView({ block: "nearest" });
}

function key(event, state, choose, close) {
  const last = state.items.length - 1;
  const moves = {
    ArrowDown: Math.min(last, state.active + 1),
    ArrowUp: Math.max(0, state.active - 1),
    Home: 0,
    End: last,
  };
  if (event.key in moves && !(event.target === state.filter && ["Home", "End"].includes(event.key))) {
    event.preventDefault();
    state.active = moves[event.key];
    mark(state);
  } else if (event.key === "Enter" || (event.key === " " && event.target !== state.filter)) {
    event.preventDefault();
    choose(state.items[state.active]);
  } else if (event.key === "Tab") close();
}
