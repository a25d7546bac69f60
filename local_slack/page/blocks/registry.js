/** Which drawing belongs to which type of block. */

import { el } from "../dom.js";
import { alert } from "./alert.js";
import { card, carousel } from "./card.js";
import { container } from "./container.js";
import { dataTable } from "./data_table.js";
import { dataVisualization } from "../charts/chart.js";
import { file, video } from "./file.js";
import { input } from "./input.js";
import { plan, taskCard } from "./plan.js";
import { richText } from "../text/rich_text.js";
import { markdown } from "../text/markdown.js";
import { actions, context, contextActions, divider, header, image, section } from "./simple.js";
import { table } from "./table.js";

const DRAWINGS = {
  actions,
  alert,
  card,
  carousel,
  container,
  context,
  context_actions: contextActions,
  data_table: dataTable,
  data_visualization: dataVisualization,
  divider,
  file,
  header,
  image,
  input,
  markdown: (block) => el("div.markdown", {}, markdown(block.text)),
  plan,
  rich_text: (block, place) => el("div.rich-text", {}, richText(block, place.store)),
  section,
  table,
  task_card: taskCard,
  video,
};

/** The node of one block. A block that we cannot draw is named, never dropped. */
export function drawBlock(block, place) {
  const draw = DRAWINGS[block.type];
  if (!draw) return notDrawn(block, place, `This page cannot draw a “${block.type}” block`);
  try {
    const node = draw(block, place);
    node.classList.add("block");
    node.dataset.block = block.type;
    return node;
  } catch (error) {
    console.error(error); // one malformed block must not take the conversation with it
    return notDrawn(block, place, `This “${block.type}” block could not be drawn`);
  }
}

function notDrawn(block, place, why) {
  const fallback = place.surface.fallbackText?.() ?? "";
  return el(
    "div.block.not-drawn",
    { title: JSON.stringify(block).slice(0, 500), data: { block: "unknown" } },
    fallback && el("div", {}, fallback),
    el("small", {}, `${why}${fallback ? "; this is the message’s text." : "."}`),
  );
}
