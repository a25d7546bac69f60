/** Buttons, the pair of feedback buttons, and buttons that are only an icon. */

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { withEmoji } from "../text/emoji.js";
import { whileBusy } from "./using.js";

export function button(element, place) {
  const style = ["primary", "danger"].includes(element.style) ? `.${element.style}` : "";
  const node = el(
    `button.button${style}`,
    {
      type: "button",
      "aria-label": element.accessibility_label,
      data: { focus: `button ${element.action_id} ${element.value ?? ""}`, actionId: element.action_id },
    },
    withEmoji(element.text.text),
  );
  if (element.url) node.append(icon("new-window", { size: 14 }));
  node.addEventListener("click", () => press(node, element, place));
  return node;
}

function press(node, element, place, value = element.value) {
  return whileBusy(node, async () => {
    const told = await place.surface.act(place, element, value === undefined ? {} : { value });
    if (told && /^https?:/i.test(element.url ?? "")) window.open(element.url, "_blank", "noopener");
  });
}

export function feedbackButtons(element, place) {
  const one = (part, name) => {
    const node = el(
      "button.button.quiet",
      { type: "button", "aria-label": part.accessibility_label ?? part.text.text, title: part.text.text },
      icon(name, { size: 16 }),
    );
    node.addEventListener("click", () => press(node, element, place, part.value));
    return node;
  };
  return el(
    "span.button-pair",
    {},
    one(element.positive_button, "thumbs_up"),
    one(element.negative_button, "thumbs_down"),
  );
}

export function iconButton(element, place) {
  const visible = !element.visible_to_user_ids || element.visible_to_user_ids.includes(place.store.me.id);
  const node = el(
    "button.button.quiet",
    {
      type: "button",
      hidden: !visible,
      "aria-label": element.accessibility_label ?? element.text.text,
      title: element.text.text,
    },
    icon(element.icon, { size: 16 }),
  );
  node.addEventListener("click", () => press(node, element, place));
  return node;
}
