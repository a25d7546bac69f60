/**
 * A list of blocks on a message, a Home or a modal. An edit redraws only the blocks that changed; what the
 * person did to a block (sorting, page, folded, chosen) is remembered by its place and survives the redrawing.
 */

import { arrange, el } from "../dom.js";
import { drawBlock } from "./registry.js";

export class BlockList {
  node = el("div.blocks");
  #drawn = [];
  #memories = new Map();

  /** `surface` is what acts and looks up names: see `surface.js`. */
  constructor(surface) {
    this.surface = surface;
  }

  update(blocks) {
    const before = this.#drawn;
    this.#drawn = blocks.map((block, index) => this.#keepOrDraw(block, index, before[index]));
    this.#refocus(() =>
      arrange(
        this.node,
        this.#drawn.map((drawn) => drawn.node),
      ),
    );
  }

  #keepOrDraw(block, index, before) {
    const shape = JSON.stringify({ ...block, block_id: "" });
    if (before?.shape === shape) {
      before.place.blockId = block.block_id; // ids made anew at every edit must not lose the drawn block
      return before;
    }
    const place = {
      surface: this.surface,
      store: this.surface.store,
      blockId: block.block_id,
      memory: this.#memory(block, index),
    };
    return { shape, place, node: drawBlock(block, place) };
  }

  /** Inputs are the same input while their block_id is; other blocks while they stand at the same place. */
  #memory(block, index) {
    const key = block.type === "input" ? `input ${block.block_id}` : `${block.type} ${index}`;
    if (!this.#memories.has(key)) this.#memories.set(key, {});
    return this.#memories.get(key);
  }

  #refocus(change) {
    const focused = this.node.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
    change();
    if (focused && !this.node.contains(document.activeElement)) {
      this.node.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }
  }
}

/** A place inside a block (a container's child, an element), with a memory of its own under `name`. */
export function inner(place, name, blockId) {
  place.memory.inner ??= {};
  place.memory.inner[name] ??= {};
  const within = Object.create(place); // reads what the outer place says now, such as its block id
  within.memory = place.memory.inner[name];
  if (blockId !== undefined) within.blockId = blockId;
  return within;
}
