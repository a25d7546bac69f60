"""`search`: full-text search in the knowledge base."""

from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Note, Part, Passage, Passages, Report
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_MOST = 10


class SearchArguments(Arguments):
    """What to look for."""

    words: Annotated[
        tuple[str, ...],
        Word(read=free_text, help="words to find, all of them", example="retry", positional=True),
    ]


def _answer(deployment: "Deployment", arguments: SearchArguments, progress: Progress) -> Report:
    from knowledge_base_agent.agent.index import open_index  # heavy, and needed by this word alone

    wanted = " ".join(arguments.words)
    hits = open_index(deployment.settings).search(wanted, limit=_MOST)
    shown = plain(wanted, 100)
    if not hits:
        return Report(
            title="Nothing found",
            text=f"No document has all of “{shown}”.",
            parts=(Note(text="Fewer words find more; `run SOURCE` adds documents."),),
        )
    found = counted(len(hits), "document") if len(hits) < _MOST else f"The {_MOST} best documents"
    items = tuple(
        Passage(
            title=plain(hit.title, 120),
            text=plain(hit.snippet, 240),
            source=plain(hit.location, 200),
        )
        for hit in hits
    )
    # The index stops at the ten best, so how many there are in all is not known when it is full.
    more = Note(text="There may be more: further words narrow it down.")
    parts: tuple[Part, ...] = (Passages(items=items),)
    return Report(
        title=f"Search: {shown}",
        text=f"{found} for “{shown}”, the best first: {plain(hits[0].title, 120)}.",
        parts=parts if len(hits) < _MOST else (*parts, more),
    )


SEARCH = Operation[SearchArguments, Target](
    name="search",
    summary="Searches the knowledge base.",
    risk=Risk.READ,
    arguments=SearchArguments,
    answer=_answer,
)
