/** Dates and times, by the browser's own pickers. Dates are `YYYY-MM-DD`, times `HH:MM`, both together Unix seconds. */

import { el } from "../dom.js";
import { changed, labelling, startingValue } from "./using.js";

export function datePicker(element, place) {
  return picker(
    element,
    place,
    "date",
    "selected_date",
    element.initial_date ?? null,
    (value) => value,
    (text) => text || null,
  );
}

export function timePicker(element, place) {
  return picker(
    element,
    place,
    "time",
    "selected_time",
    element.initial_time ?? null,
    (value) => value,
    (text) => text || null,
  );
}

export function dateTimePicker(element, place) {
  const initial = element.initial_date_time ?? null;
  return picker(element, place, "datetime-local", "selected_date_time", initial, localText, (text) =>
    text ? Date.parse(text) / 1000 : null,
  );
}

function picker(element, place, type, key, initial, shown, read) {
  const value = startingValue(place, element, { [key]: initial });
  const input = el("input.field.picker", {
    type,
    value: shown(value[key]) ?? "",
    autofocus: element.focus_on_load,
    ...labelling(place, element),
  });
  input.addEventListener("change", () => changed(place, element, { [key]: read(input.value) }));
  return el("div.control", {}, input);
}

/** Unix seconds as what `datetime-local` wants: the viewer's own clock, without a zone. */
function localText(unix) {
  if (unix === null) return null;
  const when = new Date(unix * 1000);
  return new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
