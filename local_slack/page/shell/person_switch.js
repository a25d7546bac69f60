/** "You are: …": act as any person of the workspace, with what each is allowed to be. */

import { el } from "../dom.js";
import { openList } from "../elements/option_list.js";
import { icon } from "../icons.js";
import { userAvatar } from "./avatar.js";

export function personSwitch(store, become) {
  const { me } = store;
  const words = el(
    "span.me-words",
    {},
    el("span.me-label", {}, "You are"),
    el("span.me-name", {}, me.real_name || me.name),
    me.role_label && el("span.me-role", {}, me.role_label),
  );
  const button = el(
    "button.me",
    { type: "button", "aria-haspopup": "listbox", "aria-expanded": "false", id: "person-switch" },
    userAvatar(me),
    words,
    icon("up", { size: 15 }),
  );
  button.addEventListener("click", () =>
    openList(button, [{ options: people(store).map(choice) }], {
      isChosen: (item) => item.value === me.id,
      pick: (item) => become(item.value),
      closes: true,
    }),
  );
  return button;
}

function people(store) {
  return [...store.users.values()].filter((user) => user.id !== store.app.bot_user_id);
}

function choice(user) {
  const name = user.real_name || user.name;
  return {
    value: user.id,
    text: `${name} ${user.role_label ?? ""}`,
    label: [userAvatar(user, "small"), " ", name],
    description: user.role_label ?? "",
  };
}
