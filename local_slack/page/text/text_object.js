/** Slack's text objects, `{type: "plain_text" | "mrkdwn", text}`, as nodes. */

import { fragment } from "../dom.js";
import { withEmoji } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";

export function textObject(object, store) {
  if (!object) return fragment();
  if (object.type === "mrkdwn") return mrkdwn(object.text, store);
  return fragment(object.emoji === false ? object.text : withEmoji(object.text));
}

/** Its characters alone, for labels and titles. */
export function plain(object) {
  return typeof object === "string" ? object : (object?.text ?? "");
}
