"""The files of the browsable knowledge base: each written whole or not at all, and only when it would differ."""

import hashlib
import json
import os
import re
import secrets
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit

from knowledge_base_agent.agent.index import Document
from knowledge_base_agent.agent.links import is_web_address
from knowledge_base_agent.redaction import redact

FOLDER = "documents"
_SLUG_LIMIT = 60


def page_name(location: str) -> str:
    """Return the page of a path or URL, from the knowledge base's folder: the same for the same location, always.

    Eight figures of the location's hash keep apart what is called the same.
    """
    digest = hashlib.sha256(location.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{FOLDER}/{_slug(location)}-{digest}.md"


def _slug(location: str) -> str:
    if is_web_address(location):
        parts = urlsplit(location)
        name = parts.path.rstrip("/").rpartition("/")[2] or parts.hostname or ""
    else:
        name = Path(location).name
    stem = name.rpartition(".")[0] or name
    ascii_only = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")
    return slug[:_SLUG_LIMIT].rstrip("-") or "document"


def page_text(document: Document, markdown: str) -> str:
    """Return a document's page: front matter (YAML), and its text as Markdown."""
    matter = {
        "title": document.title,
        "source": redact(document.location),
        "fetched_at": document.fetched_at.isoformat(timespec="seconds"),
        "sha256": document.sha256,
    }
    # A JSON string is a YAML string too, whatever is in it.
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in matter.items()]
    return "\n".join(["---", *lines, "---", "", markdown, ""])


def write_file(path: Path, text: str) -> bool:
    """Make the file hold the text; return False, touching nothing, when it already does.

    A reader sees the old file or the new one, also when we are killed half-way.
    """
    data = text.encode("utf-8", "replace")
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return True
