/**
 * What the inputs of a view or a message hold, in the shape of Slack's `state.values`:
 * block_id → action_id → `{type, value | selected_option | …}`. Values outlive a redrawing of their input.
 */

export class Form {
  #values = new Map();

  set(place, element, value) {
    if (!this.#values.has(place.blockId)) this.#values.set(place.blockId, new Map());
    this.#values.get(place.blockId).set(element.action_id, { type: element.type, ...value });
  }

  get(place, element) {
    const held = this.#values.get(place.blockId)?.get(element.action_id);
    return held?.type === element.type ? held : null;
  }

  /** Take over values that the server holds (after a reload), except where there is one already. */
  adopt(values) {
    for (const [blockId, actions] of Object.entries(values ?? {})) {
      if (!this.#values.has(blockId)) this.#values.set(blockId, new Map(Object.entries(actions)));
    }
  }

  /** Forget the inputs of blocks that the view no longer has. */
  keepOnly(blockIds) {
    for (const blockId of this.#values.keys()) if (!blockIds.has(blockId)) this.#values.delete(blockId);
  }

  values() {
    return Object.fromEntries([...this.#values].map(([blockId, actions]) => [blockId, Object.fromEntries(actions)]));
  }
}
