"""Secrets planted into texts, in the shapes in which secrets come: none of them may be seen again."""

import string
from random import Random

_ALPHABET = string.ascii_letters + string.digits
_SHAPES = (
    "password={}", "'password': '{}'", '{{"api_key": "{}"}}', "client_secret={}",
    "Authorization: Bearer {}", "AUTH_TOKEN={}",
    "redis://user:{}@host:6379/0", "postgresql://kb:{}@db/kb", "token: {}", "--api-key={}",
    "db_password = {}", "cookie={}",
    "xoxb-{}", "xapp-1-{}", "ghp_{}", "sk-{}", "-----BEGIN PRIVATE KEY-----{}-----END PRIVATE KEY-----",
    "passwd:{}",
)  # fmt: skip


def secret(random: Random) -> str:
    """Return a secret that no other text holds by chance."""
    return "".join(random.choices(_ALPHABET, k=28))


def planted(random: Random, text: str, hidden: str) -> str:
    """Return the text with the secret somewhere in it, in one of its shapes, as a word of its own."""
    at = random.randint(0, len(text))
    shaped = random.choice(_SHAPES).format(hidden)
    return f"{text[:at]} {shaped} {text[at:]}"
