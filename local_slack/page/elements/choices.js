/** Checkboxes and radio buttons. */

import { el, freshId } from "../dom.js";
import { textObject } from "../text/text_object.js";
import { changed, labelling, startingValue } from "./using.js";

export function checkboxes(element, place) {
  const value = startingValue(place, element, { selected_options: element.initial_options ?? [] });
  const chosen = new Set(value.selected_options.map((option) => option.value));
  return group(element, place, "checkbox", chosen, (option, on) => {
    chosen[on ? "add" : "delete"](option.value);
    return { selected_options: element.options.filter((each) => chosen.has(each.value)) };
  });
}

export function radioButtons(element, place) {
  const value = startingValue(place, element, { selected_option: element.initial_option ?? null });
  const chosen = new Set(value.selected_option ? [value.selected_option.value] : []);
  return group(element, place, "radio", chosen, (option) => ({ selected_option: option }));
}

function group(element, place, type, chosen, pick) {
  const name = freshId(type);
  const { data, ...labels } = labelling(place, element);
  const lines = element.options.map((option, index) => {
    const box = el("input", {
      type,
      name,
      checked: chosen.has(option.value),
      autofocus: element.focus_on_load && index === 0,
      data: { focus: `${data.focus} ${index}` },
    });
    box.addEventListener("change", () => changed(place, element, pick(option, box.checked)));
    const description = option.description && el("small", {}, textObject(option.description, place.store));
    return el("label.choice", {}, box, el("span", {}, textObject(option.text, place.store), description));
  });
  return el("div.choices", { role: type === "radio" ? "radiogroup" : "group", ...labels }, lines);
}
