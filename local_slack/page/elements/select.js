/** Selects of one or of several, of options, people or channels: a button that opens a list, by mouse or keyboard. */

import { clear, el } from "../dom.js";
import { icon } from "../icons.js";
import { openList } from "./option_list.js";
import { itemFor, kindOf, loader } from "./options.js";
import { changed, labelling, startingValue, whileBusy } from "./using.js";

export function select(element, place) {
  const kind = kindOf(element, place.store);
  const proposed = element[kind.initial] ?? (element.default_to_current_conversation ? place.store.place.id : null);
  const state = { chosen: startingValue(place, element, { [kind.selected]: proposed })[kind.selected] };
  const button = opener(element, place);
  const show = () => {
    const item = state.chosen && itemFor(state.chosen, kind.groups);
    clear(
      button,
      el(`span.select-value${item ? "" : ".placeholder"}`, {}, item ? item.label : placeholder(element)),
      icon("down", { size: 15 }),
    );
  };
  const pick = (item) =>
    whileBusy(button, async () => {
      state.chosen = kind.wrap(item);
      show();
      await changed(place, element, { [kind.selected]: state.chosen });
    });
  button.addEventListener("click", () =>
    openList(button, kind.groups, {
      isChosen: (item) => item.value === (state.chosen?.value ?? state.chosen),
      pick,
      closes: true,
      load: loader(element, place),
    }),
  );
  show();
  return el("div.control", {}, button);
}

export function multiSelect(element, place) {
  const kind = kindOf(element, place.store);
  const held = startingValue(place, element, { [kind.selected]: element[kind.initial] ?? [] })[kind.selected];
  const chosen = new Map(held.map((each) => [each.value ?? each, itemFor(each, kind.groups)]));
  const button = opener(element, place);
  const show = () => clear(button, chips(chosen, element), icon("down", { size: 15 }));
  const pick = (item) => {
    if (chosen.has(item.value)) chosen.delete(item.value);
    else if (chosen.size < (element.max_selected_items ?? Infinity)) chosen.set(item.value, item);
    show();
  };
  const tell = () => changed(place, element, { [kind.selected]: [...chosen.values()].map(kind.wrap) });
  button.addEventListener("click", () => {
    const before = [...chosen.keys()].join("\n");
    const onclose = () => [...chosen.keys()].join("\n") !== before && whileBusy(button, tell);
    openList(button, kind.groups, {
      isChosen: (item) => chosen.has(item.value),
      pick,
      closes: false,
      onclose,
      load: loader(element, place),
    });
  });
  show();
  return el("div.control", {}, button);
}

function opener(element, place) {
  const { data, ...labels } = labelling(place, element);
  return el("button.field.select", {
    type: "button",
    role: "combobox",
    "aria-haspopup": "listbox",
    "aria-expanded": "false",
    autofocus: element.focus_on_load,
    data: { ...data, actionId: element.action_id },
    ...labels,
  });
}

function placeholder(element) {
  return element.placeholder?.text ?? (element.type.startsWith("multi_") ? "Choose some" : "Choose one");
}

function chips(chosen, element) {
  if (!chosen.size) return el("span.select-value.placeholder", {}, placeholder(element));
  return el(
    "span.chips",
    {},
    [...chosen.values()].map((item) => el("span.chip", {}, item.label)),
  );
}
