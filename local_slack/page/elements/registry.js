/** Which control belongs to which type of element. */

import { el } from "../dom.js";
import { pictureAddress } from "../blocks/simple.js";
import { button, feedbackButtons, iconButton } from "./button.js";
import { checkboxes, radioButtons } from "./choices.js";
import { overflow } from "./overflow.js";
import { datePicker, dateTimePicker, timePicker } from "./pickers.js";
import { multiSelect, select } from "./select.js";
import { emailInput, fileInput, numberInput, richTextInput, textInput, urlInput } from "./text_input.js";

const CONTROLS = {
  button,
  workflow_button: button,
  feedback_buttons: feedbackButtons,
  icon_button: iconButton,
  checkboxes,
  radio_buttons: radioButtons,
  overflow,
  datepicker: datePicker,
  timepicker: timePicker,
  datetimepicker: dateTimePicker,
  image: (element) => el("img.element-image", { src: pictureAddress(element), alt: element.alt_text ?? "" }),
  plain_text_input: textInput,
  number_input: numberInput,
  email_text_input: emailInput,
  url_text_input: urlInput,
  rich_text_input: richTextInput,
  file_input: fileInput,
};
for (const kind of ["static", "external", "users", "channels", "conversations"]) {
  CONTROLS[`${kind}_select`] = select;
  CONTROLS[`multi_${kind}_select`] = multiSelect;
}

/** The node of one interactive element; an unknown one is named, never dropped. */
export function drawElement(element, place) {
  const control = CONTROLS[element.type];
  if (!control)
    return el("span.unknown-inline", { title: JSON.stringify(element) }, `[${element.type}: cannot be shown here]`);
  return control(element, place);
}
