/** What the page asks of the local Slack over HTTP. Every failure is an `Unanswered` with a sentence for the person. */

export class Unanswered extends Error {}

const DEADLINE_MS = 15_000; // a command is answered by Slack within 3 s; the rest is a slow laptop

/** The workspace as this user sees it; without a user the server chooses one. */
export function readState(user) {
  const query = user ? `?user=${encodeURIComponent(user)}` : "";
  return ask(`/page/state${query}`, { method: "GET" });
}

/** One thing that a person does: `control("click", {...})`. Resolves to the server's answer. */
export function control(deed, body) {
  return ask(`/control/${deed}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function ask(path, options) {
  const response = await reach(path, options);
  const answer = await readJson(response);
  if (!response.ok) throw new Unanswered(sentence(answer?.error ?? `${response.status} ${response.statusText}`));
  return answer ?? {};
}

async function reach(path, options) {
  try {
    return await fetch(path, { ...options, signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch (error) {
    const why = error.name === "TimeoutError" ? "took too long to answer" : "cannot be reached";
    throw new Unanswered(`The local Slack ${why}. Nothing may have happened: look before you repeat it.`);
  }
}

async function readJson(response) {
  const body = await response.text();
  try {
    return body ? JSON.parse(body) : null;
  } catch {
    return { error: body.slice(0, 200) }; // a proxy's or a crash's page: the person sees its beginning
  }
}

/** `not_in_channel` reads as "Not in channel"; sentences get their capital. */
function sentence(error) {
  const text = String(error);
  const words = /^[a-z0-9_]+$/.test(text) ? text.replaceAll("_", " ") : text;
  return words[0].toUpperCase() + words.slice(1);
}
