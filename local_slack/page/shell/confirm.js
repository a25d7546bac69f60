/** The question of a `confirm` object: `{title, text, confirm, deny, style}`. */

import { el, freshId } from "../dom.js";
import { textObject } from "../text/text_object.js";

/** Resolves to whether the person said yes. Escape and the backdrop are a no; the No has the first focus. */
export function askToConfirm(question, store) {
  const title = el("h2", { id: freshId("confirm") }, textObject(question.title, store));
  const deny = el("button.button", { type: "submit", value: "no", autofocus: true }, textObject(question.deny, store));
  const style = question.style === "danger" ? "danger" : "primary";
  const confirm = el(`button.button.${style}`, { type: "submit", value: "yes" }, textObject(question.confirm, store));
  const dialog = el(
    "dialog.confirm",
    { "aria-labelledby": title.id },
    el(
      "form",
      { method: "dialog" },
      title,
      el("div.confirm-text", {}, textObject(question.text, store)),
      el("div.dialog-buttons", {}, deny, confirm),
    ),
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close("no"));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
