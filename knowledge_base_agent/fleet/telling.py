"""Telling workers, by name, to change something, and keeping what each said. "Said yes" is not "done": look again."""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.revoking import NodeAnswer, node_answers
from knowledge_base_agent.problems import Away


@dataclass(frozen=True, kw_only=True)
class Told:
    """What came back for one command. A worker that did not answer may still do it later."""

    answers: tuple[NodeAnswer, ...]
    """Two workers of one name give two."""
    silent: tuple[str, ...]
    """Who was told and did not answer in time."""
    interrupted: str | None = None
    """Why the command is unconfirmed: it was sent, or may have been, and may still take effect."""

    @property
    def refusals(self) -> tuple[NodeAnswer, ...]:
        """Return the answers of workers that said no, or said nothing that can be understood."""
        return tuple(one for one in self.answers if not one.accepted)

    def said_by(self, worker: str) -> str:
        """Return a worker's own words, or that it did not answer."""
        said = [one.said for one in self.answers if one.worker == worker]
        return "; ".join(said) if said else "no answer; it may still do it later"


def tell(
    fleet: Fleet, deadline: Deadline, command: str, nodes: Sequence[str], **arguments: object
) -> Told:
    """Send one command to these workers, once, and wait for their answers until the deadline.

    Raises `Away` when the broker can't be reached (nothing was sent) or when there is nobody to tell.
    """
    if not nodes:
        raise Away(
            "No worker is there to be told.",
            "Start a worker, or look with `stats` who answers.",
            source="the workers",
        )
    answers = fleet.command(deadline, command, nodes, **arguments)
    return Told(
        answers=tuple(node_answers(answers)),
        silent=answers.silent,
        interrupted=answers.interrupted,
    )
