/**
 * Where blocks stand and what using them does. A surface is a message (`{channel, ts}`) or a view (`{view_id}`);
 * it sends the click, asks the element's own confirm question first, and shows what came back.
 */

import { Unanswered, control } from "./api.js";
import { askToConfirm } from "./shell/confirm.js";
import { toast } from "./shell/toasts.js";

export class Surface {
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
    if (element.confirm && !(await askToConfirm(element.confirm, this.store))) return false;
    const answer = await perform("click", {
      user: this.store.me.id,
      ...this.address,
      action_id: element.action_id,
      block_id: place.blockId,
      ...chosen,
      ...(element.confirm ? { confirmed: true } : {}),
      ...(this.form ? { values: this.form.values() } : {}),
    });
    return Boolean(answer);
  }
}

/** Do something as the person; errors and what Slack would show become a toast. Null when it failed. */
export async function perform(deed, body) {
  try {
    const answer = await control(deed, body);
    if (answer.shown) toast(answer.shown, answer.delivered === false ? "warning" : "info");
    return answer;
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    toast(error.message, "error");
    return null;
  }
}
