/** The data_visualization block: title, SVG at the width there is, legend, and the same numbers for screen readers. */

import { clear, el, freshId } from "../dom.js";
import { drawAxes } from "./axis_chart.js";
import { drawPie } from "./pie_chart.js";
import { readable } from "./scale.js";

const NARROWEST = 240;

export function dataVisualization(block) {
  const { chart, title } = block;
  const draw = chart.type === "pie" ? drawPie : drawAxes;
  const heading = el("figcaption.chart-title", { id: freshId("chart") }, title);
  const stage = el("div.chart-stage", {
    tabIndex: 0,
    role: "group",
    "aria-labelledby": heading.id,
    "aria-roledescription": `${chart.type} chart`,
    data: { focus: "chart" },
  });
  let width = 0;
  const redraw = () => {
    const now = Math.max(NARROWEST, Math.floor(stage.clientWidth));
    if (now === width || !stage.isConnected) return;
    width = now;
    clear(stage, draw(chart, width, stage));
  };
  new ResizeObserver(redraw).observe(stage);
  return el("figure.chart", { data: { chart: chart.type } }, heading, stage, legend(chart), numbers(chart, title));
}

function legend(chart) {
  const names =
    chart.type === "pie" ? chart.segments.map((segment) => segment.label) : chart.series.map((series) => series.name);
  if (chart.type !== "pie" && names.length < 2) return el("div.legend", {}, key(names[0], 0));
  return el("div.legend", {}, names.map(key));
}

function key(name, index) {
  return el("span.legend-key", {}, el("i", { style: { background: `var(--series-${(index % 12) + 1})` } }), name);
}

/** The chart as a table, for those who do not see it. */
function numbers(chart, title) {
  const caption = el("caption", {}, title);
  if (chart.type === "pie") {
    return el(
      "table.visually-hidden",
      {},
      caption,
      chart.segments.map((segment) => line(segment.label, [segment.value])),
    );
  }
  const head = el(
    "tr",
    {},
    el("td"),
    chart.series.map((series) => el("th", { scope: "col" }, series.name)),
  );
  const rows = chart.axis_config.categories.map((category) =>
    line(
      category,
      chart.series.map((series) => valueAt(series, category)),
    ),
  );
  return el("table.visually-hidden", {}, caption, head, rows);
}

function line(label, values) {
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, label),
    values.map((value) => el("td", {}, value === null ? "–" : readable(value))),
  );
}

/** The value of a series at a category; its points may come in any order. */
export function valueAt(series, category) {
  return series.data.find((point) => point.label === category)?.value ?? null;
}
