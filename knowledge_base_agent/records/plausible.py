"""Reading what is in the stream with suspicion: whoever can write to that Redis can put anything there."""

import logging
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

import msgspec

from knowledge_base_agent.records.states import RANK
from knowledge_base_agent.records.stream import GAP, Entry, decode
from knowledge_base_agent.records.task_ids import is_task_id

LOG = logging.getLogger(__name__)
_YEAR_2200: Final = 7_258_118_400_000_000  # microseconds
_MANY: Final = 1_000_000
_TEXTS: Final = (
    "name", "queue", "worker", "parent_id", "root_id", "args_repr", "error_class", "error_message", "traceback",
    "message",
)  # fmt: skip
_IN_TEXTS: Final = attrgetter(*_TEXTS)


def read_entries(payloads: Sequence[bytes]) -> tuple[list[Entry], int]:
    """Return the entries that can be recorded, and how many could not."""
    entries: list[Entry] = []
    for payload in payloads:
        try:
            entry = _without_nul(decode(payload))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            LOG.warning("History: an entry cannot be read: %s", error)
            continue
        if _is_plausible(entry):
            entries.append(entry)
        else:
            LOG.warning(
                "History: an entry is not plausible: %.60r, state %.20r", entry.id, entry.state
            )
    return entries, len(payloads) - len(entries)


def _is_plausible(entry: Entry) -> bool:
    if entry.state == GAP:
        return 0 <= entry.retries < _YEAR_2200
    return (
        entry.state in RANK
        and is_task_id(entry.id)
        and 0 < entry.at < _YEAR_2200
        and 0 <= entry.retries < _MANY
        and 0 <= entry.nesting < _MANY
        and (entry.eta is None or 0 < entry.eta < _YEAR_2200)
        and (entry.parent_id is None or len(entry.parent_id) <= 128)
        and (entry.root_id is None or len(entry.root_id) <= 128)
        and (entry.process_id is None or 0 <= entry.process_id < 2**63)
    )


def _without_nul(entry: Entry) -> Entry:
    # PostgreSQL keeps no NUL in text, and one such entry would hold up all that follow it.
    for text in _IN_TEXTS(entry):
        if text and "\x00" in text:
            break
    else:
        return entry
    texts = {name: getattr(entry, name) for name in _TEXTS}
    clean = {name: text.replace("\x00", "") for name, text in texts.items() if text}
    return msgspec.structs.replace(entry, **clean)
