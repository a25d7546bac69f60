/** Pie charts, as rings with the sum in the middle and the shares beside them. */

import { el, svg } from "../dom.js";
import { brief, readable } from "./scale.js";
import { Tooltip } from "./tooltip.js";

const SIZE = 200;
const OUTER = 92;
const INNER = 56;

export function drawPie(chart, width, stage) {
  const sum = chart.segments.reduce((total, segment) => total + segment.value, 0);
  const tooltip = new Tooltip(stage);
  const left = (Math.min(width, 460) - SIZE) / 2;
  let angle = -Math.PI / 2;
  const slices = chart.segments.map((segment, index) => {
    const turn = (segment.value / sum) * Math.PI * 2;
    const slice = svg("path.slice", { d: ring(angle, turn), style: `--series: var(--series-${(index % 12) + 1})` });
    const words = [segment.label, `${readable(segment.value)} · ${percent(segment.value, sum)}`, index];
    slice.addEventListener("pointermove", () => tooltip.show(Math.max(SIZE / 2, left / 4 + SIZE / 2), null, [words]));
    slice.addEventListener("pointerleave", () => tooltip.hide());
    angle += turn;
    return slice;
  });
  const picture = svg(
    "svg.plot.pie",
    { viewBox: `0 0 ${SIZE} ${SIZE}`, width: SIZE, height: SIZE, role: "img", "aria-label": spoken(chart, sum) },
    slices,
    svg("text.pie-sum", { x: SIZE / 2, y: SIZE / 2 + 2, "text-anchor": "middle" }, brief(sum)),
    svg("text.pie-word", { x: SIZE / 2, y: SIZE / 2 + 20, "text-anchor": "middle" }, "in all"),
  );
  return [el("div.pie-and-shares", {}, picture, shares(chart, sum)), tooltip.node];
}

function percent(value, sum) {
  return (value / sum).toLocaleString(undefined, { style: "percent", maximumFractionDigits: 1 });
}

function spoken(chart, sum) {
  return `Pie chart: ${chart.segments.map((segment) => `${segment.label} ${percent(segment.value, sum)}`).join(", ")}`;
}

function shares(chart, sum) {
  return el(
    "ul.shares",
    { "aria-hidden": "true" },
    chart.segments.map((segment, index) =>
      el(
        "li",
        {},
        el("i", { style: { background: `var(--series-${(index % 12) + 1})` } }),
        el("span", {}, segment.label),
        el("b", {}, readable(segment.value)),
        el("small", {}, percent(segment.value, sum)),
      ),
    ),
  );
}

/** One slice of the ring. A whole turn has no two different ends, so it stops a hair short. */
function ring(from, turn) {
  const to = from + Math.min(turn, Math.PI * 2 - 0.0001);
  const large = turn > Math.PI ? 1 : 0;
  const at = (radius, angle) =>
    `${(SIZE / 2 + radius * Math.cos(angle)).toFixed(2)} ${(SIZE / 2 + radius * Math.sin(angle)).toFixed(2)}`;
  return `M${at(OUTER, from)}A${OUTER} ${OUTER} 0 ${large} 1 ${at(OUTER, to)}L${at(INNER, to)}A${INNER} ${INNER} 0 ${large} 0 ${at(INNER, from)}Z`;
}
