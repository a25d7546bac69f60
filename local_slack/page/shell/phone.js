/**
 * What a phone's keyboard does to text: it joins two hyphens into a dash, bends quotes, starts with a capital, and
 * leaves a no-break space where it corrected a word. Slack receives exactly that, so the app has to cope with it.
 */

const NO_BREAK = "\u00a0";

/** The text as a phone would send it. A slash command's own word stays, else Slack would not know the command. */
export function asPhone(text) {
  const [, command, rest] = /^(\/\S+ ?)?([\s\S]*)$/.exec(text);
  return (command ?? "") + noBreakBeforeLastWord(capitalised(curly(dashed(rest))));
}

function dashed(text) {
  return text.replace(/---?/g, "—").replace(/\.\.\./g, "…");
}

function curly(text) {
  return text
    .replace(/(^|[\s(=—])"/g, "$1“")
    .replaceAll('"', "”")
    .replace(/(^|[\s(=—])'/g, "$1‘")
    .replaceAll("'", "’");
}

function capitalised(text) {
  return text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

function noBreakBeforeLastWord(text) {
  return text.replace(/ (\S+)$/, `${NO_BREAK}$1`);
}
