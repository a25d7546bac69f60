/** Slack's date tokens, in the viewer's own time zone and language. Times are Unix seconds. */

import { el } from "../dom.js";
import { link } from "./links.js";

const DAY_MS = 86_400_000;

const STYLES = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { hour: "2-digit", minute: "2-digit" },
  time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

/** `format` with every known token filled in; an unreadable time gives the fallback. */
export function formatDate(unix, format, fallback = "") {
  const when = new Date(Number(unix) * 1000);
  if (Number.isNaN(when.getTime())) return fallback;
  return format.replace(/\{([a-z_]+)\}/g, (token, name) => fill(name, when) ?? token);
}

export function clockTime(ts) {
  return fill("time", new Date(Number(ts) * 1000));
}

export function fullTime(ts) {
  const when = new Date(Number(ts) * 1000);
  return `${fill("date_long", when)} at ${fill("time_secs", when)}`;
}

/** "Today", "Yesterday" or the day's name: what stands on the line between two days. */
export function dayName(ts) {
  const when = new Date(Number(ts) * 1000);
  return nearDay(when) ?? when.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

export function dateNode(unix, format, fallback, url) {
  const text = formatDate(unix, format, fallback);
  const node = el("time.date", { title: fullTime(unix) }, text);
  return url ? link(url, node) : node;
}

function fill(name, when) {
  if (name === "ago") return ago(when);
  if (name === "day_divider_pretty") return nearDay(when) ?? when.toLocaleDateString([], STYLES.date_long);
  const pretty = name.endsWith("_pretty");
  const style = STYLES[pretty ? name.slice(0, -"_pretty".length) : name];
  if (!style) return null;
  const near = pretty ? nearDay(when)?.toLowerCase() : null;
  return near ?? new Intl.DateTimeFormat([], { ...style, hourCycle: style.hour ? "h23" : undefined }).format(when);
}

function nearDay(when) {
  const days = Math.round((midnight(new Date()) - midnight(when)) / DAY_MS);
  return { "-1": "Tomorrow", 0: "Today", 1: "Yesterday" }[days] ?? null;
}

function midnight(when) {
  return new Date(when.getFullYear(), when.getMonth(), when.getDate()).getTime();
}

function ago(when) {
  const seconds = Math.round((when.getTime() - Date.now()) / 1000);
  const units = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
    ["second", 1],
  ];
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat([], { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
}
