/** Who a message is from: a coloured square with initials, or the app's own picture. */

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { SLACKBOT } from "../store.js";

/** How the author of a message is shown: `{name, avatar, isApp}`. */
export function authorOf(message, store) {
  if (message.user === SLACKBOT) return { name: "Slackbot", avatar: avatar("S", "var(--slackbot)"), isApp: true };
  const user = store.users.get(message.user);
  if (message.bot_id || message.user === store.app.bot_user_id) {
    return { name: message.username ?? store.app.name, avatar: appAvatar(), isApp: true };
  }
  return {
    name: user ? user.real_name || user.name : (message.username ?? message.user ?? "Someone"),
    avatar: userAvatar(user),
    isApp: Boolean(user?.is_bot),
  };
}

export function userAvatar(user, size = "normal") {
  const name = user?.real_name || user?.name || "?";
  const initials = name
    .split(/\s+/)
    .map((word) => word[0])
    .slice(0, 2)
    .join("");
  return avatar(initials.toUpperCase(), user?.avatar_color ?? "var(--text-faint)", size);
}

export function appAvatar(size = "normal") {
  const square = avatar("", "var(--app)", size);
  square.append(icon("lifebuoy", { size: size === "small" ? 14 : 24 }));
  return square;
}

function avatar(initials, color, size = "normal") {
  return el("span.avatar", { "aria-hidden": "true", style: { "--avatar": color }, data: { size } }, initials);
}
