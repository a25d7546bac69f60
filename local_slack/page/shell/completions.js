/** What the composer can complete: the app's commands, the words it takes, and how each is used. */

const MOST_SHOWN = 9;

/** Suggestions for what is typed: `[{text, description}]`; `text` replaces the whole line. */
export function suggestions(typed, store) {
  if (!typed.startsWith("/")) return [];
  const wanted = typed.replaceAll("\u00a0", " ").toLowerCase();
  const all = [
    ...store.commands.flatMap(fromCommand),
    ...store.completions.flatMap((word) => wholeLines(word, store.commands)),
  ];
  const seen = new Set();
  return all
    .filter(({ text }) => {
      const fits =
        text.toLowerCase().startsWith(wanted) && text.trim().toLowerCase() !== wanted.trim() && !seen.has(text);
      if (fits) seen.add(text);
      return fits;
    })
    .slice(0, MOST_SHOWN);
}

/** The server's completions are words that follow a command, or whole lines. */
function wholeLines(word, commands) {
  if (word.startsWith("/")) return [{ text: word, description: "" }];
  return commands.map(({ command }) => ({ text: `${command} ${word}`, description: "" }));
}

/** A usage hint such as `stats | stuck [--longer-than 3h]` names the words; its options are shown, not typed. */
function fromCommand({ command, description, usage_hint: hint }) {
  const words = splitOutsideBrackets(hint ?? "")
    .map((part) => /^([a-z][\w-]*)(?:\s+(.*))?$/i.exec(part.trim()))
    .filter(Boolean);
  return [
    { text: `${command} `, description: description ?? "" },
    ...words.map(([, word, options]) => ({ text: `${command} ${word}`, description: options ?? "" })),
  ];
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
