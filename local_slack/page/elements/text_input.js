/** Inputs that are typed into. Held at each keystroke; told to the app (if at all) on Enter or when left. */

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { richTextPlain } from "../text/rich_text.js";
import { changed, labelling, startingValue } from "./using.js";

export function textInput(element, place) {
  const limits = { minLength: element.min_length, maxLength: element.max_length };
  return typed(
    element,
    place,
    element.multiline ? el("textarea.field", { rows: 4, ...limits }) : el("input.field", { type: "text", ...limits }),
  );
}

export function numberInput(element, place) {
  const input = el("input.field.number-field", {
    type: "number",
    step: element.is_decimal_allowed ? "any" : "1",
    min: element.min_value,
    max: element.max_value,
  });
  return typed(element, place, input);
}

export function emailInput(element, place) {
  return typed(element, place, el("input.field", { type: "email" }));
}

export function urlInput(element, place) {
  return typed(element, place, el("input.field", { type: "url" }));
}

function typed(element, place, input) {
  const value = startingValue(place, element, { value: element.initial_value ?? null });
  return finish(element, place, input, value.value ?? "", (text) => ({ value: text === "" ? null : text }));
}

/** Rich text is typed as plain lines here; the app receives it as a rich_text block. */
export function richTextInput(element, place) {
  const value = startingValue(place, element, { rich_text_value: element.initial_value ?? null });
  const input = el("textarea.field", { rows: element.min_lines ?? 4 });
  const read = (text) => ({
    rich_text_value: text
      ? { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] }
      : null,
  });
  return finish(element, place, input, value.rich_text_value ? richTextPlain(value.rich_text_value) : "", read);
}

function finish(element, place, input, text, read) {
  input.value = text;
  input.placeholder = element.placeholder?.text ?? "";
  input.autofocus = Boolean(element.focus_on_load);
  const { data, ...labels } = labelling(place, element);
  Object.assign(input.dataset, data);
  for (const [name, labelValue] of Object.entries(labels)) input.setAttribute(name, labelValue);
  input.addEventListener("input", () => changed(place, element, read(input.value), { tells: false }));
  input.addEventListener("change", () => changed(place, element, read(input.value)));
  return el("div.control", {}, input, counter(element, input));
}

function counter(element, input) {
  if (!element.max_length) return null;
  const left = el("span.counter", { "aria-hidden": "true" });
  const show = () => {
    left.textContent = `${input.value.length} / ${element.max_length}`;
  };
  input.addEventListener("input", show);
  show();
  return left;
}

/** Files cannot be handed to the app from here; saying so beats a dead control. */
export function fileInput(element, place) {
  startingValue(place, element, { files: [] });
  return el(
    "div.control.unavailable",
    {},
    icon("file"),
    el("span", {}, "Choosing files is not part of the local Slack."),
  );
}
