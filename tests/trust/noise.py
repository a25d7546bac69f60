"""Texts and payloads that nobody would send on purpose, made fast and from a seed."""

import json
from random import Random
from typing import Any

NASTY = (
    "<!channel>", "<@U123>", "<https://evil.example|click>", "`", "```", "*bold*", "_x_", "~s~",
    ":fire:", "&lt;!here&gt;",
    "> quote", "\u202egnp.exe", "\u2028", "\x00", "\n\n", "", " ", "'", '"', "\\", "{", "}", "[",
    "\u200b", "\u2014", "\u201c",
    "\u00a0", "\ud7ff", "\U0001f525", "1. one", "@channel", "#ops", "%s", "{0}", "../../etc/passwd",
    "; rm -rf /", "$(id)",
    "\x1b[31m", "*", "?", "--", "-", "-1", "0", "99999999999999999999", "1e400", "NaN", "inf",
    "\u0661\u0662", "None", "null",
    "true", "a" * 300, "\u00e4" * 300, "a." * 200, "(" * 50, "x=" * 100, "\r", "\t", "FLUSHALL", "op-1",
    "op-\u0661",
)  # fmt: skip
LINES = (
    "stats", "stuck --longer-than 10s", "clear --older-than 24 --status FAILURE",
    "revoke 3f2a --terminate", "purge agent",
    "find --name shop.* --state FAILURE --since 24h", "workers grow 2 --worker celery@a",
    "logs 3f2a -n 50 --follow",
    "retry --name shop.* --since 1h", "help clear", "task 3f2a9c", "flush --progress",
    "pause agent --for 10m", "resume agent",
    "maintenance daily", "reset --complete", "failures --since 24h", "alerts snooze 3 --for 1h",
    "run https://example.org/x",
    "search retry", "doctor", "workers shutdown celery@a", "rate-limit shop.pay 10/m", "undo op-3",
    "ops", "audit verify",
)  # fmt: skip
_RANGES = (
    (0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0x00, 0x1F), (0x80, 0x24F), (0x590, 0x6FF),
    (0x2000, 0x206F), (0x3040, 0x30FF),
    (0xE000, 0xF8FF), (0x1F300, 0x1F6FF),
)  # fmt: skip
_CHARACTERS = 30


def letters(random: Random, most: int = _CHARACTERS) -> str:
    """Return characters of one range or of several."""
    low, high = random.choice(_RANGES)
    return "".join(chr(random.randint(low, high)) for _ in range(random.randint(0, most)))


def text(random: Random) -> str:
    """Return a text: nasty, or random, or something sensible with something done to it."""
    kind = random.random()
    if kind < 0.2:
        return letters(random)
    if kind < 0.4:
        return random.choice((" ", "")).join(random.choices(NASTY, k=random.randint(1, 6)))
    return mutated(random, random.choice(LINES))


def mutated(random: Random, line: str) -> str:
    """Return a line with one to four things done to it."""
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(line))
        to = min(len(line), at + random.randint(0, 6))
        piece = random.choice((random.choice(NASTY), letters(random, 4), line[at:to] * 2, ""))
        line = line[:at] + piece + line[random.choice((at, to)) :]
    return line


def value(random: Random, depth: int = 0) -> Any:
    """Return anything that JSON can hold."""
    kind = random.randint(0, 8 if depth < 3 else 5)
    if kind == 0:
        return None
    if kind == 1:
        return random.choice((True, False, 0, -1, 1.5, 10**30, float("inf")))
    if kind <= 5:
        return text(random)
    if kind == 6:
        return [value(random, depth + 1) for _ in range(random.randint(0, 3))]
    return {text(random)[:20]: value(random, depth + 1) for _ in range(random.randint(0, 3))}


def damaged(random: Random, payload: Any) -> Any:
    """Return a copy of a payload in which something is missing or is not what it should be."""
    copy = json.loads(json.dumps(payload))
    for _ in range(random.randint(1, 4)):
        _damage(random, copy)
    return copy


def _damage(random: Random, node: Any) -> None:
    while isinstance(node, dict | list) and node:
        key: Any = (
            random.choice(list(node)) if isinstance(node, dict) else random.randrange(len(node))
        )
        inner = node[key]
        if isinstance(inner, dict | list) and inner and random.random() < 0.7:
            node = inner
            continue
        if random.random() < 0.4:
            del node[key]
        else:
            node[key] = value(random)
        return


def torn(random: Random, raw: bytes) -> bytes:
    """Return bytes with some of them changed, missing or repeated."""
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(raw))
        to = min(len(raw), at + random.randint(0, 12))
        piece = random.choice(
            (random.randbytes(random.randint(0, 8)), b"", raw[at:to] * 2, b"null", b'"', b"{")
        )
        raw = raw[:at] + piece + raw[random.choice((at, to)) :]
    return raw
