/** Line, bar and area charts: the frame, the marks, and a tooltip that lists all series of a category. */

import { svg } from "../dom.js";
import { valueAt } from "./chart.js";
import { frameOf, gridLines, xLabels } from "./frame.js";
import { readable } from "./scale.js";
import { Tooltip } from "./tooltip.js";

const MARKS = { line: lines, area: areas, bar: bars };

export function drawAxes(chart, width, stage) {
  const { categories, x_label: xLabel, y_label: yLabel } = chart.axis_config;
  const series = chart.series.map((each) => ({
    name: each.name,
    values: categories.map((category) => valueAt(each, category)),
  }));
  const frame = frameOf(series, categories, width, { xLabel, yLabel });
  const cursor = svg("g.cursor");
  const picture = svg(
    "svg.plot",
    { viewBox: `0 0 ${width} ${frame.height}`, width, height: frame.height, role: "img", "aria-label": spoken(chart) },
    gridLines(frame, yLabel),
    xLabels(frame, categories, xLabel),
    cursor,
    MARKS[chart.type](series, frame),
  );
  const tooltip = new Tooltip(stage);
  const point = (index) => {
    cursor.replaceChildren(...cursorMarks(chart.type, series, frame, index));
    if (index === null) tooltip.hide();
    else
      tooltip.show(
        frame.x(index),
        categories[index],
        series.map((each, at) => [each.name, readableOr(each.values[index]), at]),
      );
  };
  follow(picture, stage, frame, point);
  return [picture, tooltip.node];
}

function readableOr(value) {
  return value === null ? "–" : readable(value);
}

function spoken(chart) {
  return `${chart.type} chart of ${chart.series.map((series) => series.name).join(", ")} by ${chart.axis_config.categories.length} categories`;
}

/** Pointer and arrow keys both walk the categories. */
function follow(picture, stage, frame, point) {
  let at = null;
  const go = (index) => {
    at = index;
    point(index);
  };
  picture.addEventListener("pointermove", (event) =>
    go(frame.nearest(event.offsetX * (frame.width / picture.clientWidth))),
  );
  picture.addEventListener("pointerleave", () => go(null));
  stage.onblur = () => go(null);
  stage.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") go(null);
    if (!step) return;
    event.preventDefault();
    go(at === null ? (step > 0 ? 0 : frame.count - 1) : Math.max(0, Math.min(frame.count - 1, at + step)));
  };
}

function cursorMarks(type, series, frame, index) {
  if (index === null) return [];
  const x = frame.x(index);
  if (type === "bar")
    return [
      svg("rect.band", { x: x - frame.band / 2, y: frame.top, width: frame.band, height: frame.bottom - frame.top }),
    ];
  const dots = series.map(
    (each, at) =>
      each.values[index] !== null &&
      svg("circle.dot", { cx: x, cy: frame.y(each.values[index]), r: 4.5, style: color(at) }),
  );
  return [svg("line.hair", { x1: x, x2: x, y1: frame.top, y2: frame.bottom }), ...dots.filter(Boolean)];
}

function color(index) {
  return `--series: var(--series-${(index % 12) + 1})`;
}

function points(values, frame) {
  return values.map((value, index) => (value === null ? null : [frame.x(index), frame.y(value)])).filter(Boolean);
}

function path(places) {
  return places.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function lines(series, frame) {
  return series.map((each, index) => {
    const places = points(each.values, frame);
    const dots = places.length <= 12 ? places.map(([cx, cy]) => svg("circle.point", { cx, cy, r: 3 })) : [];
    return svg("g.series", { style: color(index) }, svg("path.line", { d: path(places) }), dots);
  });
}

function areas(series, frame) {
  return series.map((each, index) => {
    const places = points(each.values, frame);
    const base = frame.y(0);
    const closed = places.length ? `${path(places)}L${places.at(-1)[0]} ${base}L${places[0][0]} ${base}Z` : "";
    return svg(
      "g.series",
      { style: color(index) },
      svg("path.area", { d: closed }),
      svg("path.line", { d: path(places) }),
    );
  });
}

function bars(series, frame) {
  const gap = Math.min(10, frame.band * 0.25);
  const thickness = Math.min(36, (frame.band - gap) / series.length);
  const start = (index) => frame.x(index) - (thickness * series.length) / 2;
  return series.map((each, at) =>
    svg(
      "g.series",
      { style: color(at) },
      each.values.map(
        (value, index) =>
          value !== null &&
          svg("path.bar", {
            d: bar(start(index) + at * thickness + 0.75, frame.y(0), Math.max(1, thickness - 1.5), frame.y(value)),
          }),
      ),
    ),
  );
}

/** A bar from the base line to a value, with its far end rounded. */
function bar(x, base, thickness, end) {
  const height = Math.abs(base - end);
  const radius = Math.min(3, thickness / 2, height);
  const turn = end <= base ? 1 : -1;
  return `M${x} ${base}V${end + radius * turn}Q${x} ${end} ${x + radius} ${end}H${x + thickness - radius}Q${x + thickness} ${end} ${x + thickness} ${end + radius * turn}V${base}Z`;
}
