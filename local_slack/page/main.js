/** Puts the page together: who one is, what is open (both in the address), and the parts that show it. */

import { Unanswered } from "./api.js";
import { Feed } from "./feed.js";
import { announceMessages } from "./shell/announcer.js";
import { ChannelPane } from "./shell/channel_pane.js";
import { Modals } from "./shell/modals.js";
import { Sidebar, closeDrawer } from "./shell/sidebar.js";
import { applyTheme } from "./shell/theme.js";
import { ThreadPane } from "./shell/thread_pane.js";
import { toast } from "./shell/toasts.js";
import { Store } from "./store.js";

const USER_KEY = "local-slack-user";

applyTheme();
const store = new Store();
const feed = new Feed(store);
const pane = new ChannelPane(store);
document.getElementById("app").append(new Sidebar(store, become).node, pane.node, new ThreadPane(store).node);
new Modals(store);
announceMessages(store);
document.getElementById("scrim").addEventListener("click", closeDrawer);
addEventListener("hashchange", followAddress);
addEventListener("keydown", (event) => event.key === "Escape" && closeDrawer());
store.on("state", stateArrived);
store.on("unknown_channel", readOnceMore);
const strange = new Set();
const linked = permalink();
store.place = linked ? { kind: "channel", id: linked.channel } : placeInAddress();
become(new URLSearchParams(location.search).get("user") ?? localStorage.getItem(USER_KEY));

/** Act as this person from now on; null lets the server choose. */
async function become(user) {
  try {
    await feed.follow(user);
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    toast(error.message, "error");
    if (user !== null && store.me === null) return become(null); // an id of another workspace
    if (store.me === null) setTimeout(() => become(user), 3_000);
  }
}

/** Somebody was let into a channel since the last reading. Asked once for each, as it may stay out of sight. */
function readOnceMore(channel) {
  if (strange.has(channel)) return;
  strange.add(channel);
  become(store.me.id);
}

function stateArrived() {
  localStorage.setItem(USER_KEY, store.me.id);
  const address = new URL(location.href);
  address.searchParams.set("user", store.me.id);
  address.hash = store.place.kind === "home" ? "home" : (store.place.id ?? "");
  address.pathname = "/";
  if (location.pathname !== "/") showLinked();
  history.replaceState(null, "", address);
  document.title = `${store.team.name} · local Slack`;
  const app = document.getElementById("app");
  if (app.hasAttribute("aria-busy")) focusComposer();
  app.removeAttribute("aria-busy");
}

/** A permalink, `/archives/C…/p1234567890123456`, as its channel and the message's ts. */
function permalink() {
  const [, id, seconds, micros] = /^\/archives\/([^/]+)\/p(\d+)(\d{6})$/.exec(location.pathname) ?? [];
  return id ? { channel: id, ts: `${seconds}.${micros}` } : null;
}

function showLinked() {
  const { channel, ts } = linked ?? {};
  const message = store.channels.get(channel)?.messages.find((each) => each.ts === ts);
  if (message?.thread_ts && message.thread_ts !== ts) store.openThread(channel, message.thread_ts);
  else if (message) requestAnimationFrame(() => pane.list.reveal(ts));
}

/** `#home`, or `#` and a channel's id; null for any other mark, such as that of the skip link. */
function placeInAddress() {
  const wanted = location.hash.slice(1);
  if (wanted === "home") return { kind: "home", id: null };
  return store.me === null || store.channels.has(wanted) ? { kind: "channel", id: wanted } : null;
}

function followAddress() {
  const place = placeInAddress();
  if (!place) return;
  store.open(place);
  focusComposer();
}

/** Where there is room; on a phone it would open the keyboard. */
function focusComposer() {
  if (store.place.kind === "channel" && matchMedia("(min-width: 700px)").matches) pane.composer.focus();
}
