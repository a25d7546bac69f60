/** A plan: tasks in order, each with its state; and a task alone. */

import { el } from "../dom.js";
import { icon, spinner } from "../icons.js";
import { link } from "../text/links.js";
import { richText } from "../text/rich_text.js";
import { withEmoji } from "../text/emoji.js";
import { plain } from "../text/text_object.js";
import { inner } from "./block_list.js";

const STATES = {
  pending: () => icon("circle", { label: "Pending" }),
  in_progress: () => spinner("In progress"),
  complete: () => icon("success", { label: "Complete" }),
  error: () => icon("error", { label: "Failed" }),
};

export function plan(block, place) {
  const done = block.tasks.filter((task) => task.status === "complete").length;
  const tasks = block.tasks.map((task) => el("li", {}, taskCard(task, inner(place, task.task_id))));
  return el(
    "div.plan",
    {},
    el(
      "div.plan-head",
      {},
      el("strong", {}, withEmoji(plain(block.title))),
      el("span.count", {}, `${done} of ${block.tasks.length} done`),
    ),
    el("ol.plan-tasks", {}, tasks),
  );
}

export function taskCard(block, place) {
  const status = block.status in STATES ? block.status : "pending";
  const head = [el("span.task-state", {}, STATES[status]()), el("span.task-title", {}, withEmoji(plain(block.title)))];
  const body = [block.details, block.output]
    .filter(Boolean)
    .map((part, index) =>
      el(`div.${index || !block.details ? "task-output" : "task-details"}`, {}, richText(part, place.store)),
    );
  if (block.sources?.length)
    body.push(
      el(
        "div.task-sources",
        {},
        block.sources.map((source) => link(source.url, source.text)),
      ),
    );
  if (!body.length) return el("div.task", { data: { status } }, el("div.task-head", {}, head));
  return foldingTask(status, head, body, place.memory);
}

/** What is running or failed is open, what is done is folded, until the person says otherwise. */
function foldingTask(status, head, body, memory) {
  const open = memory.open ?? ["in_progress", "error"].includes(status);
  const details = el(
    "details.task",
    { open, data: { status } },
    el("summary.task-head", { data: { focus: "task" } }, head, el("span.task-caret", {}, icon("down", { size: 14 }))),
    el("div.task-body", {}, body),
  );
  details.querySelector("summary").addEventListener("click", () => {
    memory.open = !details.open;
  });
  return details;
}
