"""What secrets look like: the names that go before them, where a named value ends, and tokens of known shapes.

Everything here takes time in proportion to the text, whatever the text is: it comes from outside, and a pattern that
takes the square of it would let a task's name stop the bot. Hence no leading repetition, and bounds on each other one.
"""

import re
from collections.abc import Iterable

_LONG = (
    r"password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key"
    r"|encryption[_-]?key|authorization|credential|cookie|session[_-]?id|dsn|x-amz-signature"
)
_SHORT = r"pwd|pass|auth|jwt"
_CORES = rf"{_LONG}|(?<![a-z])(?:{_SHORT})(?![a-z])"
_WORDS = re.compile(rf"{_LONG}|{_SHORT}|bearer")
_TAKEN_FOR_LETTERS = re.compile("[\u0130\u0131\u017f\u212a]")
"""Signs beyond ASCII that are an i, an s or a k to a pattern which ignores case: two of i, the long s, kelvin's."""
_URL_PASSWORD = re.compile(
    r"(?P<head>://[^\s:/@'\"]{0,128}:)(?!\d{1,5}(?:[/?#\s'\"]|$))(?:[^\s'\"<>@]{1,256}@){1,3}"
)
_URL_KEY = re.compile(
    r"(?P<head>://)[^\s:/@'\"]{20,256}@"
)  # a key in the user's place, as in the DSNs of Sentry
_QUERY_KEY = re.compile(
    r"(?P<head>[?&](?:amp;)?(?:sig|signature|key|code|auth)=)[^&\s'\"<>]{1,512}", re.IGNORECASE
)
_SHAPES = (
    ("xox[abeprs]", r"(?:\.xox[abp])?-[\w-]{8,}"),  # Slack
    ("xapp-", r"[\w-]{8,}"),
    ("gh[pousr]_", r"\w{20,}"),
    ("github_pat_", r"\w{20,}"),
    ("glpat-", r"[\w-]{20,}"),
    ("npm_", r"\w{30,}"),
    ("pypi-", r"[\w-]{30,}"),
    ("A[KS]IA", r"[0-9A-Z]{16}"),
    *((rf"{one}k[-_][\w-]{{20}}", r"[\w-]*") for one in "spr"),
    ("AIza", r"[\w-]{30,}"),
    (r"ya29\.", r"[\w-]{20,}"),
    (r"SG\.", r"[\w-]{16,}\.[\w-]{16,}"),
    ("eyJ", r"(?<![\w-]eyJ)[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}"),  # JSON web tokens
    ("-----BEGIN ", r"[A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)"),
)  # fmt: skip
"""How each kind of token begins, and how it goes on. By letters: from those `re` knows where it need not even look."""
_HOOKS = r"(?<=hooks\.slack\.com/)[^\s'\"<>]+|(?<=hooks\.slack-gov\.com/)[^\s'\"<>]+"
_TOKENS = re.compile("|".join([*(begin + rest for begin, rest in _SHAPES), _HOOKS]))
_BEGINNINGS = re.compile("|".join(begin for begin, _ in _SHAPES))
_SPOKEN = re.compile(
    rf"(?P<head>(?:bearer[ \t]{{1,8}}(?=[\w.~+/=-]{{8}})|(?:{_LONG}|{_SHORT})[ \t]{{1,8}}(?:is[ \t]{{1,8}})?['\"]?"
    r"(?=[\w.~+/=-]{0,256}\d)(?=[\w.~+/=-]{0,256}[a-z])(?=[\w.~+/=-]{12})))[\w.~+/=-]+",
    re.IGNORECASE,
)
"""A token in a sentence. Behind "token" it needs letters and digits, for words come there; behind "Bearer" none do."""
_SHORTEST = 13
"""Characters of the shortest token of these shapes."""
_QUOTE = re.compile(r"[bBuUrRfF]{0,2}(?P<slashes>\\{0,8})(?P<quote>['\"])")
_STRINGS = {
    "'": re.compile(r"[^'\\]*(?:\\.[^'\\]*)*'", re.DOTALL),
    '"': re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL),
}
_BRACKETS = re.compile(r"[\[({})\]'\"]")
_BARE_END = re.compile(r"[\s,;)\]}”’\[({]")
_IN_QUERY = re.compile(r"[?&](?:amp;)?[\w.\[\]-]{0,64}$")
_QUERY_VALUE = re.compile(r"(?<==)[^&\s'\"<>]+")
_SENTENCE = ".,;)]}”’\\"
_KEY_ENDS = re.compile(r"\s{0,8}(?:=>|:)")
_REACH = 200
"""Characters within which a name and what comes between it and its value lie."""
_BLOCK = re.compile(r"[|>][+-]?[ \t]*(?:\n[ \t]+[^\n]*)+")  # YAML's way to write several lines
_NEAR = 500
"""Characters within which a bracket must close to belong to a value without quotes."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z-]{0,30}[ \t]+(?=\S)")
_KNOWN_SCHEME = re.compile(r"(?:bearer|basic|token|apikey|negotiate)[ \t]+(?=\S)", re.IGNORECASE)
_WHOLE_LINE = re.compile(r"(?:digest|oauth|hawk|signature|aws4)\b", re.IGNORECASE)


def named_by(names: Iterable[str] = ()) -> re.Pattern[str]:
    """Return the pattern of what goes before a secret: a name that holds one of the known words, or of `names`.

    After it comes `:`, `=`, or, where the name is quoted or a flag, what comes after it in a list or on a command line.
    """
    more = "".join(rf"|(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])" for name in names)
    quoted = r"\\{0,8}['\"]"
    after = rf"(?:{quoted})?\s{{0,8}}(?:=>|[:=])\s{{0,8}}|(?P<pair>{quoted}\s{{0,8}},\s{{0,8}})(?={quoted}|[bu]['\"])"
    flag = rf"(?<![\w-])--[\w-]{{0,40}}?(?:{_CORES}{more})[\w-]{{0,40}}[ \t]{{1,8}}(?=[^\s-])"
    return re.compile(rf"{flag}|(?P<core>{_CORES}{more})[\w.-]{{0,64}}(?:{after})", re.IGNORECASE)


def may_hold_a_secret(text: str, *, more_names: bool) -> bool:
    """Tell whether `without_shapes` or `without_named` could find anything; False is certain, and found out quickly.

    Each of their patterns needs a sign or a word that is looked for here, as plain as possible. `more_names` says that
    `named_by` was given names.
    """
    if not text.isascii() and _TAKEN_FOR_LETTERS.search(text):
        return True
    if "hooks.slack" in text or (len(text) >= _SHORTEST and _BEGINNINGS.search(text)):
        return True
    if not (
        ":" in text or "=" in text or "'" in text or '"' in text or " " in text or "\t" in text
    ):
        return False
    if more_names or ("://" in text and "@" in text):
        return True
    if "=" in text and ("?" in text or "&" in text):
        return True
    return _WORDS.search(text.lower()) is not None


def without_shapes(text: str, hidden: str) -> str:
    """Return the text without passwords in URLs and without tokens of known shapes."""
    text = _URL_PASSWORD.sub(rf"\g<head>{hidden}@", text)
    text = _URL_KEY.sub(rf"\g<head>{hidden}@", text)
    text = _TOKENS.sub(hidden, text)
    text = _SPOKEN.sub(rf"\g<head>{hidden}", text)
    return _QUERY_KEY.sub(rf"\g<head>{hidden}", text)


def without_named(text: str, names: re.Pattern[str], hidden: str) -> str:
    """Return the text without the values that stand behind a secret's name."""
    kept, done, at = [], 0, 0
    while (found := names.search(text, at)) is not None:
        at = found.end()
        # The quote that ends what is hidden is the one that opens this value, where an earlier one was in a word.
        if at <= done and not _QUOTE.fullmatch(text, at, done):
            continue
        if at > done:
            kept.append(text[done:at])
            done = at
        if text.startswith(hidden, at) or (found["pair"] and _is_a_key(text, at)):
            continue
        end = _end_in_query(text, found.start(), at) or _end_of_value(
            text, at, (found["core"] or "").lower()
        )
        if end > done:
            kept.extend([hidden] if kept[-1] != hidden else [])
            # A value may itself be the name of what comes next: look at its end again.
            done, at = end, max(at, end - _REACH)
    kept.append(text[done:])
    return "".join(kept)


def _is_a_key(text: str, at: int) -> bool:
    """Tell whether the string at `at` is a key in a mapping, so that what stood before it was a value and no name."""
    quote = _QUOTE.match(text, at)
    if quote is None:
        return False
    end = _end_of_string(text, quote.end(), quote["slashes"], quote["quote"], len(text))
    return end is not None and _KEY_ENDS.match(text, end) is not None


def _end_in_query(text: str, name: int, at: int) -> int | None:
    """Return where the value of a URL's query ends, without what the sentence around it adds; None for another one."""
    value = _QUERY_VALUE.match(text, at)
    if value is None or not _IN_QUERY.search(text, max(name - 80, 0), name):
        return None
    return at + len(value[0].rstrip(_SENTENCE))


def _end_of_value(text: str, at: int, core: str) -> int:
    while (quote := _QUOTE.match(text, at)) is not None:
        end = _end_of_string(text, quote.end(), quote["slashes"], quote["quote"], len(text))
        if end is None:
            return len(text)
        mark = end - len(quote["slashes"]) - 1
        between = text[quote.end() : mark]
        if between.strip() in (":", ",", "=>"):
            # What lies between two strings, where the first ends in `token:`: the value is the second of them.
            return _end_of_string(text, end, quote["slashes"], quote["quote"], len(text)) or end
        # So it is with spaces alone, between two words that a shell has quoted.
        if not between.isspace():
            return end
        at = end
    if text[at : at + 1] in ("(", "[", "{"):
        end = _end_of_bracket(text, at, len(text))
        return len(text) if end is None else end
    block = _BLOCK.match(text, at)
    if block is not None:
        return block.end()
    if core == "cookie" or (core == "authorization" and _WHOLE_LINE.match(text, at)):
        end = text.find("\n", at)
        return len(text) if end < 0 else end
    scheme = (_SCHEME if core == "authorization" else _KNOWN_SCHEME).match(text, at)
    return _end_of_bare(text, scheme.end() if scheme else at)


def _end_of_string(text: str, at: int, slashes: str, quote: str, until: int) -> int | None:
    """Return where a string ends whose quotes stand behind so many backslashes, as in JSON within JSON; or None."""
    if not slashes:
        found = _STRINGS[quote].match(text, at, until)
        return found.end() if found else None
    mark = slashes + quote
    end = text.find(mark, at)
    while end > at and text[end - 1] == "\\":
        end = text.find(mark, end + 1)
    return end + len(mark) if end >= 0 else None


def _end_of_bracket(text: str, at: int, until: int) -> int | None:
    """Return where the bracket closes that opens at `at`; None where it does not before `until`."""
    depth, open_ended = 0, set()
    while (found := _BRACKETS.search(text, at, until)) is not None:
        at, sign = found.end(), found[0]
        if sign in _STRINGS:
            end = None if sign in open_ended else _end_of_string(text, at, "", sign, until)
            if end is None:
                open_ended.add(
                    sign
                )  # an apostrophe; looking for its end again would cost the square
            else:
                at = end
            continue
        depth += 1 if sign in "([{" else -1
        if depth <= 0:
            return at
    return None


def _end_of_bare(text: str, at: int) -> int:
    """Return where a value without quotes ends: at a space or a separator, but behind what it has in brackets."""
    start, end = at, len(text)
    while (found := _BARE_END.search(text, at)) is not None:
        if found[0] not in "([{":
            end = found.start()
            break
        # One that does not close soon is an ordinary sign; looking on at each of many would cost the square.
        at = _end_of_bracket(text, found.start(), found.start() + _NEAR) or found.end()
    if end - 1 > start and text[end - 1] == ".":
        end -= 1
    return _without_closing_quote(text, start, end)


def _without_closing_quote(text: str, start: int, end: int) -> int:
    """Return where a value ends that stood at the end of a string: before the quote that closes that string."""
    if end > start and text[end - 1] in _STRINGS and text.count(text[end - 1], start, end) % 2:
        end -= 1
        while end > start and text[end - 1] == "\\":
            end -= 1
    return end
