/**
 * What all controls share: the value they start with, what happens on a change, and how they say they are busy.
 * In an input block a change is only held for the submit; elsewhere it is an action that the app hears of.
 */

/** The value to start with: what the person had chosen before a redrawing, else what the app proposed. */
export function startingValue(place, element, proposed) {
  const held = place.surface.form?.get(place, element) ?? place.memory.value ?? null;
  const value = held ?? proposed;
  hold(place, element, value);
  return value;
}

/** Hold a new value, and tell the app unless this is an input that waits for its submit. Resolves to "was told". */
export async function changed(place, element, value, { tells = true } = {}) {
  hold(place, element, value);
  if (!tells) return false;
  const { type, ...chosen } = value; // one key, whose name depends on the type of element
  const [selected] = Object.values(chosen);
  if (!place.input || place.input.dispatches) return place.surface.act(place, element, { selected });
  place.surface.keep(place, element, selected);
  return false;
}

function hold(place, element, value) {
  place.memory.value = value;
  place.surface.form?.set(place, element, value);
}

/** Run `work` while `control` is shown as busy and cannot be used again. */
export async function whileBusy(control, work) {
  if (control.getAttribute("aria-busy") === "true") return;
  control.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    control.removeAttribute("aria-busy");
  }
}

/** The attributes that tie a control to the label, hint and error of its input block, or to its placeholder. */
export function labelling(place, element) {
  const focus = { focus: `${element.type} ${element.action_id}` };
  if (!place.input)
    return { "aria-label": element.accessibility_label ?? element.placeholder?.text ?? element.action_id, data: focus };
  return { "aria-labelledby": place.input.labelledBy, "aria-describedby": place.input.describedBy, data: focus };
}
