/** The frame of an axis chart: where the plot lies, its grid, and the labels around it. */

import { svg } from "../dom.js";
import { brief, everyNth, textWidth, ticks } from "./scale.js";

const TOP = 14;
const LINE = 18;

/** Places for a chart `width` pixels wide: `x(index)`, `y(value)`, `nearest(pixel)` and the edges. */
export function frameOf(series, categories, width, { xLabel, yLabel }) {
  const steps = ticks(series.flatMap((each) => each.values.filter((value) => value !== null)));
  const height = Math.round(Math.max(180, Math.min(280, width * 0.46)));
  const left = Math.max(...steps.map((step) => textWidth(brief(step)))) + 14 + (yLabel ? LINE : 0);
  const right = width - 10;
  const bottom = height - 24 - (xLabel ? LINE : 0);
  const band = (right - left) / categories.length;
  const [low, high] = [steps[0], steps.at(-1)];
  return {
    width,
    height,
    left,
    right,
    bottom,
    band,
    steps,
    top: TOP,
    count: categories.length,
    x: (index) => left + band * (index + 0.5),
    y: (value) => bottom - ((value - low) / (high - low)) * (bottom - TOP),
    nearest: (pixel) => Math.max(0, Math.min(categories.length - 1, Math.floor((pixel - left) / band))),
  };
}

export function gridLines(frame, yLabel) {
  const lines = frame.steps.map((step) => {
    const y = frame.y(step);
    return [
      svg(`line.grid${step === 0 ? ".zero" : ""}`, { x1: frame.left, x2: frame.right, y1: y, y2: y }),
      svg("text.tick", { x: frame.left - 8, y: y + 4, "text-anchor": "end" }, brief(step)),
    ];
  });
  const middle = (frame.top + frame.bottom) / 2;
  return svg(
    "g",
    {},
    lines,
    yLabel &&
      svg(
        "text.axis-title",
        { x: 11, y: middle, "text-anchor": "middle", transform: `rotate(-90 11 ${middle})` },
        yLabel,
      ),
  );
}

export function xLabels(frame, categories, xLabel) {
  const nth = everyNth(categories.length, frame.right - frame.left, Math.max(...categories.map(textWidth)));
  const labels = categories.map(
    (category, index) =>
      index % nth === 0 &&
      svg("text.tick", { x: clamp(frame, index, category), y: frame.bottom + 17, "text-anchor": "middle" }, category),
  );
  const title =
    xLabel &&
    svg("text.axis-title", { x: (frame.left + frame.right) / 2, y: frame.height - 5, "text-anchor": "middle" }, xLabel);
  return svg("g", {}, labels, title);
}

/** A long first or last label would leave the picture; keep it inside. */
function clamp(frame, index, text) {
  const half = textWidth(text) / 2;
  return Math.max(half, Math.min(frame.width - half, frame.x(index)));
}
