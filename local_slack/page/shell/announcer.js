/** Says new messages of the open channel to screen readers, once each and without the formatting. */

import { authorOf } from "./avatar.js";

const LONGEST = 200;

export function announceMessages(store) {
  const region = document.getElementById("announcer");
  store.on("message", ({ channel, message, fresh }) => {
    if (!fresh || !store.isOpen(channel.id) || message.user === store.me.id) return;
    region.textContent = `${authorOf(message, store).name}: ${String(message.text ?? "").slice(0, LONGEST)}`;
  });
}
