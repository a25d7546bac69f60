/** The alert block of modals: a coloured strip with an icon for its level. */

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { textObject } from "../text/text_object.js";

const ICONS = { default: "info", info: "info", warning: "warning", error: "error", success: "success" };

export function alert(block, place) {
  const level = block.level in ICONS ? block.level : "default";
  const role = level === "error" || level === "warning" ? "alert" : "note";
  return el(
    "div.alert",
    { role, data: { level } },
    icon(ICONS[level], { label: level }),
    el("div", {}, textObject(block.text, place.store)),
  );
}
