/**
 * Where blocks stand and what using them does. A surface is a message (`{channel, ts}`) or a view (`{view_id}`);
 * it sends the click, asks the element's own confirm question first, and shows what came back.
 */

import { Unanswered, control } from "./api.js";
import { askToConfirm } from "./shell/confirm.js";
import { toast } from "./shell/toasts.js";

export class Surface {
  #kept = Promise.resolve();

  /** `address` is `{channel, ts}` or `{view_id}`; `form` collects inputs (modals, Home and messages alike). */
  constructor(store, address, { form = null, fallbackText = null } = {}) {
    this.store = store;
    this.address = address;
    this.form = form;
    this.fallbackText = fallbackText;
  }

  /**
   * Use an element: `chosen` is `{value}` of a button or `{selected}` of the others. Resolves to whether the
   * app was told; a refused confirm question or an error gives false.
   */
  async act(place, element, chosen) {
    await this.#kept;
    if (element.confirm && !(await askToConfirm(element.confirm, this.store))) return false;
    const answer = await perform("click", {
      user: this.store.me.id,
      ...this.address,
      action_id: element.action_id,
      block_id: place.blockId,
      ...chosen,
      ...(element.confirm ? { confirmed: true } : {}),
    });
    return Boolean(answer);
  }

  /** What the app offers for `typed` in an external select: options, or groups of them. */
  async suggest(place, element, typed) {
    const body = {
      user: this.store.me.id,
      ...this.address,
      action_id: element.action_id,
      block_id: place.blockId,
      value: typed,
    };
    return (await perform("suggest", body))?.options ?? [];
  }

  /**
   * Let the server know what an input of a view holds, so that an action in the same view carries it in its
   * state. The submit sends all values again, so a failure here (the view just closed) is of no consequence.
   */
  keep(place, element, selected) {
    const { view_id: viewId } = this.address;
    if (!viewId) return;
    const body = {
      user: this.store.me.id,
      view_id: viewId,
      action_id: element.action_id,
      block_id: place.blockId,
      selected,
    };
    this.#kept = this.#kept.then(() => control("click", body)).catch(() => null);
  }
}

/**
 * Do something as the person. Errors become a toast, and so does what Slack would show, unless it arrives as a
 * message of the channel or stands at an input. Null when it failed.
 */
export async function perform(deed, body) {
  try {
    const answer = await control(deed, body);
    if (answer.shown && !body.channel && !answer.errors) toast(answer.shown, "warning");
    return answer;
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    toast(error.message, "error");
    return null;
  }
}
