/** The overflow menu: three dots, and a menu of options behind them. */

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { textObject } from "../text/text_object.js";
import { openPanel } from "./popover.js";
import { whileBusy } from "./using.js";

export function overflow(element, place) {
  const button = el(
    "button.button.quiet.overflow",
    {
      type: "button",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": "More actions",
      data: { focus: `overflow ${element.action_id}`, actionId: element.action_id },
    },
    icon("dots"),
  );
  button.addEventListener("click", () => openMenu(button, element, place));
  return button;
}

function openMenu(button, element, place) {
  const items = element.options.map((option) =>
    el(
      "button.menu-item",
      { type: "button", role: "menuitem" },
      textObject(option.text, place.store),
      option.description && el("small", {}, textObject(option.description, place.store)),
    ),
  );
  const menu = el("div.menu", { role: "menu" }, items);
  button.setAttribute("aria-expanded", "true");
  const close = openPanel(button, menu, { onclose: () => button.setAttribute("aria-expanded", "false") });
  items.forEach((item, index) =>
    item.addEventListener("click", () => {
      close();
      choose(button, element, element.options[index], place);
    }),
  );
  menu.addEventListener("keydown", (event) => moveFocus(event, items));
  items[0]?.focus();
}

function choose(button, element, option, place) {
  button.focus();
  return whileBusy(button, async () => {
    const told = await place.surface.act(place, element, { selected: option });
    if (told && /^https?:/i.test(option.url ?? "")) window.open(option.url, "_blank", "noopener");
  });
}

function moveFocus(event, items) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = items.indexOf(document.activeElement);
  items[(at + step + items.length) % items.length].focus();
}
