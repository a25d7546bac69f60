"""What a killed process leaves behind, as the next process finds it, and what must hold of it."""

from dataclasses import dataclass

from sqlalchemy import func, select

from knowledge_base_agent import confirmations
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.problems import TooLate
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT, RUNS
from knowledge_base_agent.runner import Runner
from tests.trust.deeds import OLGA
from tests.trust.trial import Trial
from tests.trust.ways import EVERYTHING, Way, age_runs

DUPLICATE = "duplicates"
UNRECORDED = "effects without a record"
RERUN = "runs that went on by themselves"
UNANNOUNCED = "interruptions that nobody is told of"
STUCK = "confirmations that nobody can use any more"
MISLEADING = "ends recorded that did not happen"
KINDS = (DUPLICATE, UNRECORDED, RERUN, UNANNOUNCED, STUCK, MISLEADING)


@dataclass(frozen=True, kw_only=True)
class _Left:
    """What is there: the effects, the state of each run, how many starts the audit has."""

    effects: list[str]
    runs: list[str]
    started: int


class Aftermath:
    """Judges one death."""

    def __init__(
        self, trial: Trial, opened: Deployment, way: Way, key: str, confirmation_id: str, spot: str
    ) -> None:
        self._trial = trial
        self._opened = opened
        self._way = way
        self._key = key
        self._confirmation_id = confirmation_id
        self._spot = spot
        self._runner = Runner(opened, EVERYTHING)

    def judge(self) -> None:
        """Look, try again as a person would, and look again."""
        found = self._look()
        self._judge_what_is_left(found)
        ran = self._try_again()
        self._judge_second_try(found, ran=ran)
        self._judge_interruption(found)
        after = self._look()
        if not ran and after.effects != found.effects:
            self._saw(RERUN, f"{found.effects} became {after.effects}")

    def _judge_what_is_left(self, found: _Left) -> None:
        if len(set(found.effects)) != len(found.effects) or len(found.runs) > 1:
            self._saw(DUPLICATE, f"{found}")
        if found.effects and not (found.runs and found.started):
            self._saw(UNRECORDED, f"{found}")
        if len(found.runs) != found.started:
            self._saw(UNRECORDED, f"{found}")
        if "succeeded" in found.runs and len(found.effects) != self._way.whole:
            self._saw(MISLEADING, f"{found}")

    def _try_again(self) -> bool:
        """Confirm once more, as another person; tell whether that ran it."""
        if not self._confirmation_id:
            return False
        try:
            self._runner.execute(self._runner.confirm(self._confirmation_id, OLGA))
        except TooLate:
            return False
        return True

    def _judge_second_try(self, found: _Left, *, ran: bool) -> None:
        after = self._look()
        if len(set(after.effects)) != len(after.effects) or (ran and found.runs):
            self._saw(DUPLICATE, f"{found}, then {after}")
        if not self._confirmation_id:
            return
        with reading(self._opened.engine) as connection:
            state = confirmations.read(connection, self._confirmation_id).state
        claimed = state is confirmations.State.CLAIMED
        if claimed != (len(after.runs) == 1) or state is confirmations.State.PENDING:
            self._saw(STUCK, f"{state.value}: {found}, then {after}")

    def _judge_interruption(self, found: _Left) -> None:
        age_runs(self._opened)
        told = [run.words for run in self._runner.declare_interrupted()]
        words = self._way.words(self._key)
        again = [run.words for run in self._runner.declare_interrupted()]
        if told.count(words) != found.runs.count("started") or words in again:
            self._saw(UNANNOUNCED, f"told {told.count(words)} times, {found}")
        with reading(self._opened.engine) as connection:
            runs = select(func.count()).select_from(RUNS).where(RUNS.c.state == "interrupted")
            kept = select(func.count()).select_from(AUDIT).where(AUDIT.c.kind == "interrupted")
            numbers = connection.execute(runs).scalar_one(), connection.execute(kept).scalar_one()
        if numbers[0] != numbers[1]:
            self._saw(UNANNOUNCED, f"{numbers[0]} interrupted, {numbers[1]} recorded")

    def _look(self) -> _Left:
        words = self._way.words(self._key)
        starts = (AUDIT.c.words == words) & (AUDIT.c.kind == "started")
        with reading(self._opened.engine) as connection:
            runs = connection.execute(select(RUNS.c.state).where(RUNS.c.words == words)).scalars()
            states = list(runs)
            started = connection.execute(select(func.count()).where(starts)).scalar_one()
        effects = self._way.effects(self._opened, self._key)
        return _Left(effects=effects, runs=states, started=started)

    def _saw(self, kind: str, how: str) -> None:
        self._trial.saw(kind, f"{self._spot}: {how}")
