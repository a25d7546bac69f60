/** What the composer can complete: the app's commands, the words it takes, and how each is used. */

const MOST_SHOWN = 9;

/** Suggestions for what is typed: `[{text, description}]`; `text` replaces the whole line. */
export function suggestions(typed, store) {
  if (!typed.startsWith("/")) return [];
  const wanted = typed.replaceAll("\u00a0", " ").toLowerCase();
  const all = [...store.completions.map(asSuggestion), ...store.commands.flatMap(fromCommand)];
  const seen = new Set();
  return all.filter(({ text }) => {
    const fits = text.toLowerCase().startsWith(wanted) && text.trim().toLowerCase() !== wanted.trim() && !seen.has(text);
    if (fits) seen.add(text);
    return fits;
  }).slice(0, MOST_SHOWN);
}

function asSuggestion(entry) {
  if (typeof entry === "string") return { text: entry, description: "" };
  return { text: entry.text ?? entry.command ?? "", description: entry.description ?? entry.summary ?? "" };
}

/** A usage hint such as `stats | stuck [--longer-than 3h]` names the words; its options are shown, not typed. */
function fromCommand({ command, description, usage_hint: hint }) {
  const words = splitOutsideBrackets(hint ?? "").map((part) => /^([a-z][\w-]*)(?:\s+(.*))?$/i.exec(part.trim())).filter(Boolean);
  return [{ text: `${command} `, description: description ?? "" }, ...words.map(([, word, options]) => ({ text: `${command} ${word}`, description: options ?? "" }))];
}

function splitOutsideBrackets(hint) {
  const parts = [""];
  let depth = 0;
  for (const character of hint) {
    if ("[<({".includes(character)) depth += 1;
    if ("]>)}".includes(character)) depth -= 1;
    if (character === "|" && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}
