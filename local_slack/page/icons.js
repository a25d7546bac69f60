/** The page's own line icons, drawn on a 24 × 24 grid. */

import { svg } from "./dom.js";

const PATHS = {
  hash: "M9 4 7 20M17 4l-2 16M4 9h16M4 15h16",
  home: "M4 11.5 12 5l8 6.5M6 10v9h4.5v-5h3v5H18v-9",
  message:
    "M5 5h14a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 19 17h-7l-5 4v-4H5a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 5 5z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  send: "M4.5 5.2 20 12 4.5 18.8 6.8 12zM6.8 12H13",
  phone:
    "M8.5 3h7A1.5 1.5 0 0 1 17 4.5v15a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 7 19.5v-15A1.5 1.5 0 0 1 8.5 3zM11 18h2",
  down: "M6 9.5l6 6 6-6",
  right: "M9.5 6l6 6-6 6",
  left: "M14.5 6l-6 6 6 6",
  up: "M6 14.5l6-6 6 6",
  check: "M5 12.5l4.5 4.5L19 7.5",
  file: "M7 3h7l5 5v13H7a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 7 3zM14 3v5h5",
  download: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 19.5h14",
  dots: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  warning: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.01",
  info: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 11v5M12 8v.01",
  error: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9 9l6 6M15 9l-6 6",
  success: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8 12.3l2.8 2.8 5.2-5.4",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2",
  circle: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  globe: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM3.5 12h17M12 3.5c-5 5-5 12 0 17M12 3.5c5 5 5 12 0 17",
  thumbs_up: "M8 11v9H4.5v-9zM8 11l4-7.5c2 0 2.6 1.3 2.2 3L13.5 10H19l-1.5 10H8",
  thumbs_down: "M8 13V4H4.5v9zM8 13l4 7.5c2 0 2.6-1.3 2.2-3L13.5 14H19L17.5 4H8",
  sort: "M8 10l4-4 4 4M8 14l4 4 4-4",
  cube: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  plug: "M9 3.5v5M15 3.5v5M6.5 8.5h11v3a5.5 5.5 0 0 1-11 0zM12 17v4",
  book: "M6 4h12.5v16H6.5a2 2 0 0 1-2-2V6A2 2 0 0 1 6.5 4zM4.5 18a2 2 0 0 1 2-2h12M9 8h6",
  folder: "M3.5 6.5h6l2 2.5h9v10h-17z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  "new-window": "M13 5h6v6M19 5l-8.5 8.5M16 14v5H5V8h5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20.5 20.5",
  people:
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 20a6.5 6.5 0 0 1 13 0M16 5.3a3.5 3.5 0 0 1 0 6.4M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  lifebuoy:
    "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM6 6l3.5 3.5M18 6l-3.5 3.5M6 18l3.5-3.5M18 18l-3.5-3.5",
};

/** Slack's names for a card's icon, where ours differ. */
const SLACK_NAMES = {
  "caret-left": "left",
  "caret-right": "right",
  comment: "message",
  "eye-open": "eye",
  "eye-closed": "eye",
  "thumbs-up": "thumbs_up",
  "thumbs-down": "thumbs_down",
  user: "people",
  bot: "lifebuoy",
  help: "info",
  mobile: "phone",
  calendar: "clock",
  refresh: "clock",
};

export function icon(name, { label, size = 18 } = {}) {
  const shape = PATHS[name] ?? PATHS[SLACK_NAMES[name]] ?? PATHS.cube;
  const voice = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return svg("svg.icon", { viewBox: "0 0 24 24", width: size, height: size, ...voice }, svg("path", { d: shape }));
}

/** A turning ring, for what is under way. */
export function spinner(label) {
  const ring = icon("circle", { label, size: 16 });
  ring.classList.add("spinner");
  return ring;
}
