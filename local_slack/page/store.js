/**
 * What the page knows: one reading of `/page/state`, kept current by the feed's events. Views listen; nothing
 * else changes it. Messages of a channel are ordered by `ts` (Unix seconds with microseconds, as a string).
 */

/** The user that notices come from. */
export const SLACKBOT = "USLACKBOT";

export class Store {
  #listeners = new Map();

  me = null;
  team = { id: "", name: "" };
  app = { name: "App", bot_user_id: "" };
  users = new Map();
  channels = new Map();
  groups = new Map();
  commands = [];
  completions = [];
  home = null;
  views = [];
  unread = new Map();
  place = { kind: "channel", id: null };
  thread = null;
  appConnected = true;
  reachable = true;

  on(kind, listener) {
    if (!this.#listeners.has(kind)) this.#listeners.set(kind, []);
    this.#listeners.get(kind).push(listener);
  }

  emit(kind, detail) {
    for (const listener of this.#listeners.get(kind) ?? []) listener(detail);
  }

  /** Take a whole reading, in place of all that was known. */
  replace(state) {
    if (this.me?.id !== state.me.id) {
      this.unread.clear();
      this.thread = null;
    }
    const { team, me, app, commands, completions, home, views, app_connected: connected } = state;
    Object.assign(this, {
      team,
      me,
      app,
      commands: commands ?? [],
      completions: completions ?? [],
      home,
      views: views ?? [],
    });
    this.users = new Map(state.users.map((user) => [user.id, user]));
    this.groups = new Map((state.usergroups ?? []).map((group) => [group.id, group]));
    this.channels = new Map(state.channels.map((channel) => [channel.id, channel]));
    if (connected !== undefined) this.appConnected = connected;
    if (this.place.kind === "channel" && !this.channels.has(this.place.id)) this.place = this.#firstPlace();
    this.emit("state");
  }

  /** Show a channel (`{kind: "channel", id}`) or the app's Home (`{kind: "home"}`). */
  open(place) {
    this.place = place;
    this.thread = null;
    if (place.kind === "channel") this.unread.delete(place.id);
    this.emit("place");
  }

  openThread(channel, ts) {
    this.thread = ts ? { channel, ts } : null;
    this.emit("thread");
  }

  /** One event of the feed. An event of a kind we do not know is ignored: an older page meets a newer server. */
  apply(event) {
    const changes = {
      message: () => this.#upsert(event.channel, event.message, true),
      message_changed: () => this.#upsert(event.channel, event.message, false),
      message_deleted: () => this.#remove(event.channel, event.ts),
      ephemeral: () => this.#upsert(event.channel, { ...event.message, is_ephemeral: true }, true),
      notice: () => this.#upsert(event.channel, notice(event), true),
      view_opened: () => this.#setView(event.view),
      view_updated: () => this.#setView(event.view),
      view_closed: () => this.#dropView(event.view?.id ?? event.view_id),
      view_errors: () => this.emit("view_errors", event),
      home: () => this.#setHome(event.view),
      connection: () => this.#setConnection({ appConnected: event.app_connected }),
    };
    changes[event.type]?.();
  }

  setReachable(reachable) {
    this.#setConnection({ reachable });
  }

  isOpen(channelId) {
    return this.place.kind === "channel" && this.place.id === channelId;
  }

  /** The direct message with the app, if there is one. */
  appChannel() {
    return [...this.channels.values()].find((channel) => channel.is_im);
  }

  #firstPlace() {
    const mine = [...this.channels.values()].find((channel) => channel.is_member && !channel.is_im);
    return { kind: "channel", id: (mine ?? [...this.channels.values()][0])?.id ?? null };
  }

  /** An edit comes whole, so what is absent from it is gone. */
  #upsert(channelId, message, isNew) {
    const channel = this.channels.get(channelId);
    if (!channel) return this.emit("unknown_channel", channelId);
    const at = channel.messages.findIndex((known) => known.ts === message.ts);
    if (at >= 0) channel.messages[at] = message;
    else insertByTime(channel.messages, message);
    const fresh = isNew && at < 0;
    if (fresh && !this.isOpen(channelId)) this.unread.set(channelId, (this.unread.get(channelId) ?? 0) + 1);
    this.emit("message", { channel, message, fresh });
  }

  #remove(channelId, ts) {
    const channel = this.channels.get(channelId);
    if (!channel) return;
    channel.messages = channel.messages.filter((message) => message.ts !== ts);
    if (this.thread?.ts === ts) this.openThread(null, null);
    this.emit("message_deleted", { channel, ts });
  }

  #setView(view) {
    const at = this.views.findIndex((known) => known.id === view.id);
    if (at >= 0) this.views[at] = view;
    else this.views.push(view);
    this.emit("views");
  }

  #dropView(id) {
    this.views = this.views.filter((view) => view.id !== id);
    this.emit("views");
  }

  #setHome(view) {
    this.home = view;
    this.emit("home");
  }

  #setConnection(change) {
    Object.assign(this, change);
    this.emit("connection");
  }
}

function insertByTime(messages, message) {
  let at = messages.length;
  while (at > 0 && Number(messages[at - 1].ts) > Number(message.ts)) at -= 1;
  messages.splice(at, 0, message);
}

/** Slackbot's sentence as the message that it is in the next reading. */
function notice({ text, ts }) {
  return { ts: ts ?? (Date.now() / 1000).toFixed(6), user: SLACKBOT, text, is_ephemeral: true };
}
