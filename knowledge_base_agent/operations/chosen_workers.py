"""Which workers a change is for: those that are named, or all of this app; never another app's."""

import difflib
from collections.abc import Sequence

from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.problems import Away, NotFound
from knowledge_base_agent.redaction import plain


def worker_name(text: str) -> str:
    """Read the name of a worker, or the part of it before the @."""
    if not text.strip() or len(text) > 200 or not text.isprintable() or "*" in text:
        raise ValueError("the name of a worker, such as agent@host, or its part before the @")
    return text


def chosen_workers(fleet: Fleet, view: FleetView, named: Sequence[str]) -> tuple[str, ...]:
    """Return the full names. Raises `NotFound` for one that is not there, `Away` when nobody is."""
    there = fleet.tellable(view)
    if not there:
        raise Away(
            "No worker of this app is there.",
            "Start one, or look with `workers`.",
            source="the workers",
        )
    if not named:
        return there
    return tuple(dict.fromkeys(_full(one, there, view) for one in named))


def _full(name: str, there: Sequence[str], view: FleetView) -> str:
    if name in there:
        return name
    fitting = [one for one in there if one.split("@")[0] == name]
    if len(fitting) == 1:
        return fitting[0]
    shown = plain(name, 80)
    listed = ", ".join(plain(one, 80) for one in there[:20])
    if fitting:
        both = ", ".join(plain(one, 80) for one in fitting)
        raise NotFound(f"Several workers are named “{shown}”: {both}.", "Write the whole name.")
    if name in view.foreign:
        raise NotFound(
            f"{shown} belongs to another app.", f"The workers of this one are: {listed}."
        )
    close = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
    meant = f"Did you mean {plain(close[0], 80)}? " if close else ""
    raise NotFound(f"There is no worker named “{shown}”.", f"{meant}The workers are: {listed}.")
