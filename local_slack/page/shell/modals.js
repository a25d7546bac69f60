/** The open modals of the person: a stack of which the top one shows. What was typed in each stays while it is open. */

import { BlockList } from "../blocks/block_list.js";
import { showInputError } from "../blocks/input.js";
import { arrange, clear, el, freshId } from "../dom.js";
import { whileBusy } from "../elements/using.js";
import { Form } from "../form.js";
import { icon } from "../icons.js";
import { Surface, perform } from "../surface.js";
import { plain } from "../text/text_object.js";
import { withEmoji } from "../text/emoji.js";

export class Modals {
  #store;
  #sheets = new Map();
  #dialog = el("dialog.modal");

  constructor(store) {
    this.#store = store;
    document.body.append(this.#dialog);
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault(); // the server closes views, so that the app hears of it
      this.#top()?.close();
    });
    for (const kind of ["views", "state"]) store.on(kind, () => this.#show());
    store.on("view_errors", ({ view_id: id, errors }) => this.#sheets.get(id)?.showErrors(errors));
  }

  #top() {
    return this.#sheets.get(this.#store.views.at(-1)?.id);
  }

  #show() {
    const { views } = this.#store;
    const open = new Set(views.map((view) => view.id));
    for (const id of this.#sheets.keys()) if (!open.has(id)) this.#sheets.delete(id);
    for (const view of views) this.#update(view);
    if (!views.length) return this.#dialog.close();
    const sheet = this.#top();
    const isNew = !this.#dialog.contains(sheet.node);
    arrange(this.#dialog, [sheet.node]);
    this.#dialog.setAttribute("aria-labelledby", sheet.titleId);
    if (!this.#dialog.open) this.#dialog.showModal();
    if (isNew) sheet.focus();
  }

  #update(view) {
    if (!this.#sheets.has(view.id)) this.#sheets.set(view.id, new Sheet(view, this.#store));
    this.#sheets.get(view.id).update(view);
  }
}

/** One modal's form. */
class Sheet {
  titleId = freshId("modal");
  node = el("form.sheet", { noValidate: true });
  #head = el("header.sheet-head");
  #body = el("div.sheet-body");
  #foot = el("footer.sheet-foot");
  #form = new Form();

  constructor(view, store) {
    this.store = store;
    this.id = view.id;
    this.blocks = new BlockList(new Surface(store, { view_id: view.id }, { form: this.#form }));
    this.#body.append(this.blocks.node);
    this.node.append(this.#head, this.#body, this.#foot);
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.view.submit) whileBusy(this.#foot.querySelector(".primary"), () => this.#submit());
    });
    this.node.addEventListener("input", (event) => clearError(event.target));
  }

  update(view) {
    this.view = view;
    this.#form.keepOnly(new Set(view.blocks.map((block) => block.block_id)));
    this.#form.adopt(view.state?.values);
    this.blocks.update(view.blocks);
    const shut = el(
      "button.icon-button",
      { type: "button", "aria-label": "Close", onclick: () => this.close() },
      icon("close"),
    );
    clear(this.#head, el("h2", { id: this.titleId }, withEmoji(plain(view.title))), shut);
    const cancel = el(
      "button.button",
      { type: "button", onclick: () => this.close() },
      plain(view.close) || (view.submit ? "Cancel" : "Close"),
    );
    clear(this.#foot, cancel, view.submit && el("button.button.primary", { type: "submit" }, plain(view.submit)));
  }

  focus() {
    (
      this.node.querySelector("[autofocus], .sheet-body :is(input, textarea, .select)") ??
      this.#foot.querySelector("button:last-child")
    )?.focus();
  }

  close() {
    return perform("close_view", { user: this.store.me.id, view_id: this.id });
  }

  async #submit() {
    this.showErrors({});
    const answer = await perform("submit", { user: this.store.me.id, view_id: this.id, values: this.#form.values() });
    if (answer?.errors) this.showErrors(answer.errors);
    return answer;
  }

  showErrors(errors) {
    for (const block of this.node.querySelectorAll(".input-block"))
      showInputError(block, errors[block.dataset.blockId]);
    this.node.querySelector(".has-error :is(input, textarea, button)")?.focus();
  }
}

function clearError(target) {
  const block = target.closest?.(".input-block.has-error");
  if (block) showInputError(block, null);
}
