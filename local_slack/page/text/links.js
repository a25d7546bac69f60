/** Links and mentions, shared by every way of writing text. */

import { el } from "../dom.js";

const SAFE = /^(https?:|mailto:|tel:)/i;

/** A link that opens elsewhere; an address that a browser could run (`javascript:` …) stays text. */
export function link(url, children) {
  const shown = children ?? url;
  if (!SAFE.test(url) && !url.startsWith("/")) return el("span", { title: url }, shown);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, shown);
}

export function userMention(store, id, label) {
  const user = store.users.get(id);
  const name = user ? user.real_name || user.name : id === store.app.bot_user_id ? store.app.name : label || id;
  const mine = id === store.me?.id ? ".mention-me" : "";
  return el(`span.mention${mine}`, { title: user?.role_label ?? id }, `@${name}`);
}

export function channelMention(store, id, label) {
  const channel = store.channels.get(id);
  if (!channel) return el("span.mention", { title: id }, `#${label || "private channel"}`);
  return el("a.mention", { href: `#${id}` }, `#${channel.name}`);
}

export function groupMention(store, id, label) {
  const handle = store.groups.get(id)?.handle ?? (label || id).replace(/^@/, "");
  return el("span.mention", { title: `User group ${id}` }, `@${handle}`);
}

export function broadcast(range) {
  return el("span.mention.mention-me", {}, `@${range}`);
}
