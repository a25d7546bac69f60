/** Numbers to places: round axis steps, and short ways to write a number. */

const STEPS = [1, 2, 2.5, 5, 10];

/** Round ticks that enclose every value and zero, about `wanted` of them. */
export function ticks(values, wanted = 5) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const span = high - low || 1;
  const whole = values.every(Number.isInteger);
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = STEPS.find((each) => each * power >= rough) * power;
  if (whole) step = Math.max(1, Math.ceil(step)); // no half tasks
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, index) => tidy((first + index) * step));
}

function tidy(number) {
  return Number(number.toPrecision(12));
}

/** 12,345 for people; axes get 12k. */
export function readable(number) {
  return number.toLocaleString(undefined, { maximumFractionDigits: 2 });
}

export function brief(number) {
  return number.toLocaleString(undefined, { notation: "compact", maximumFractionDigits: 1 });
}

/** Which of `count` labels to write so that they do not touch: every n-th, and the last only if it has room. */
export function everyNth(count, room, widest) {
  return Math.max(1, Math.ceil((count * (widest + 14)) / Math.max(1, room)));
}

/** About how wide a label is in pixels at the charts' 11 px. */
export function textWidth(text) {
  return text.length * 6.1;
}
