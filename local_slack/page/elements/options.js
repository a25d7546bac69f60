/** What a select offers, as one list whatever its kind: `[{label, options: [{value, text, description, option}]}]`. */

import { withEmoji } from "../text/emoji.js";
import { plain } from "../text/text_object.js";

/** Each kind: the key of its initial value(s), the key in `state.values`, and where its options come from. */
const KINDS = {
  static: { initial: "initial_option", selected: "selected_option", offers: fromElement, wrap: (item) => item.option },
  external: { initial: "initial_option", selected: "selected_option", offers: () => [], wrap: (item) => item.option },
  users: {
    initial: "initial_user",
    selected: "selected_user",
    offers: (_, store) => [{ options: people(store) }],
    wrap: (item) => item.value,
  },
  channels: {
    initial: "initial_channel",
    selected: "selected_channel",
    offers: (_, store) => [{ options: rooms(store, false) }],
    wrap: (item) => item.value,
  },
  conversations: {
    initial: "initial_conversation",
    selected: "selected_conversation",
    offers: (_, store) => [{ options: rooms(store, true) }],
    wrap: (item) => item.value,
  },
};

/** How this select element works: its kind's keys (in the plural for a multi-select) and its groups of options. */
export function kindOf(element, store) {
  const many = element.type.startsWith("multi_");
  const kind = KINDS[element.type.replace(/^multi_/, "").replace(/_select$/, "")];
  const plural = many ? "s" : "";
  return {
    ...kind,
    many,
    initial: kind.initial + plural,
    selected: kind.selected + plural,
    groups: kind.offers(element, store),
  };
}

/** The item for a held value (an option object or an id), also when it is no longer offered. */
export function itemFor(held, groups) {
  const id = typeof held === "string" ? held : held.value;
  const known = groups.flatMap((group) => group.options).find((item) => item.value === id);
  return known ?? item(typeof held === "string" ? { value: id, text: id } : held);
}

/** What the app offers for `typed` in an external select; null for the other kinds. */
export function loader(element, place) {
  if (!element.type.includes("external")) return null;
  return async (typed) => {
    const offered = await place.surface.suggest(place, element, typed);
    return fromElement(offered[0]?.options ? { option_groups: offered } : { options: offered });
  };
}

function fromElement(element) {
  if (element.option_groups)
    return element.option_groups.map((group) => ({ label: plain(group.label), options: group.options.map(item) }));
  return [{ options: (element.options ?? []).map(item) }];
}

function item(option) {
  return {
    value: option.value,
    text: plain(option.text),
    label: withEmoji(plain(option.text)),
    description: plain(option.description),
    option,
  };
}

function people(store) {
  return [...store.users.values()]
    .filter((user) => !user.deleted)
    .map((user) => ({
      value: user.id,
      text: user.real_name || user.name,
      label: [user.real_name || user.name],
      description: user.role_label ?? "",
    }));
}

function rooms(store, withDirect) {
  const wanted = [...store.channels.values()].filter((channel) => withDirect || !channel.is_im);
  return wanted.map((channel) => {
    const text = channel.is_im ? store.app.name : `#${channel.name}`;
    return { value: channel.id, text, label: [text], description: "" };
  });
}
