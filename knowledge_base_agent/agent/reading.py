"""One document, from its location to its page and its place in the index."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from knowledge_base_agent.agent.fetching import Validators, fetch
from knowledge_base_agent.agent.index import Document
from knowledge_base_agent.agent.library import Library
from knowledge_base_agent.agent.links import is_web_address
from knowledge_base_agent.agent.pages import page_name, page_text, write_file
from knowledge_base_agent.agent.parsing import parse
from knowledge_base_agent.clock import utc_now


def read_document(
    library: Library, location: str, heading: str, reached: Callable[[str], None]
) -> bool:
    """Fetch, parse and index a document; return False when nothing has changed, and nothing was written.

    `reached` is told the phase at its beginning. Raises what `fetch` and `parse` raise.
    """
    page = page_name(location)
    kept = library.index.find(location) if (library.folder / page).is_file() else None
    reached("fetch")
    known = kept.validators if kept else Validators()
    fetched = fetch(location, known, within=library.settings.fetch_timeout)
    if fetched is None:
        return False
    sha256 = hashlib.sha256(fetched.data).hexdigest()
    if kept and kept.sha256 == sha256:
        return False
    reached("parse")
    parsed = parse(fetched.kind, fetched.data)
    reached("index")
    document = Document(
        location=location, heading=heading, title=parsed.title or _name(location),
        body=parsed.text, words=parsed.words, page=page, sha256=sha256,
        validators=fetched.validators, fetched_at=utc_now(),
    )  # fmt: skip
    _keep(library, document, parsed.markdown)
    return True


def _keep(library: Library, document: Document, markdown: str) -> None:
    # The page first: killed in between, we leave the old hash in the index, and the next run does both again.
    write_file(library.folder / document.page, page_text(document, markdown))
    library.index.put(document)


def _name(location: str) -> str:
    if is_web_address(location):
        parts = urlsplit(location)
        return parts.path.strip("/").rpartition("/")[2] or parts.hostname or location
    return Path(location).stem
