/** The live feed: one WebSocket for the person being acted as, which finds its way back by itself. */

import { readState } from "./api.js";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8_000;

export class Feed {
  #store;
  #socket = null;
  #user = null;
  #failures = 0;
  #timer = null;
  #turn = 0;
  #held = null;

  constructor(store) {
    this.#store = store;
  }

  /** Read the state as `user` and follow it. Rejects with `Unanswered` when the first reading fails. */
  async follow(user) {
    this.#drop();
    await this.#read(user, this.#turn);
    if (this.#user !== null) this.#connect();
  }

  /** Events that arrive during a reading may be newer than it: they wait, and are applied (again) on top. */
  async #read(user, turn) {
    this.#held = [];
    try {
      const state = await readState(user);
      if (turn !== this.#turn) return; // another person was chosen meanwhile
      this.#user = state.me.id;
      this.#store.replace(state);
    } finally {
      if (turn === this.#turn) this.#release();
    }
  }

  #release() {
    const events = this.#held ?? [];
    this.#held = null;
    for (const event of events) this.#store.apply(event);
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/page/feed?user=${encodeURIComponent(this.#user)}`);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened(socket));
    socket.addEventListener("message", ({ data }) => socket === this.#socket && this.#take(JSON.parse(data)));
    socket.addEventListener("close", () => this.#lost(socket));
  }

  #take(event) {
    if (this.#held) this.#held.push(event);
    else this.#store.apply(event);
  }

  /** What happened between the last reading and this connection was seen by no one, so read once more. */
  #opened(socket) {
    this.#failures = 0;
    this.#store.setReachable(true);
    this.#read(this.#user, this.#turn).catch(() => socket.close());
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#failures += 1;
    if (this.#failures > 1) this.#store.setReachable(false); // one blink is not worth a banner
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1));
    this.#timer = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  #drop() {
    this.#turn += 1;
    this.#user = null;
    this.#held = null;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
