"""What is counted. Two of them run at once, and alone those that measure how long something takes."""

from dataclasses import dataclass
from importlib import import_module

from tests.trust import product
from tests.trust.place import Place
from tests.trust.trial import Trial

SEED = 7
FULL_MINUTES = 60.0
AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One promise and how it is counted. `module` of this package has the function `run(trial, place)`."""

    name: str
    promise: str
    counted: str
    """What the number is a number of."""
    count: int
    """How many a full run wants."""
    minutes: float
    """How long it may take within a full run of an hour."""
    module: str = ""
    alone: bool = False
    """Whether nothing else runs meanwhile: what it measures in seconds is the product's, and not its neighbour's."""

    def run(self, trial: Trial, place: Place) -> None:
        """Do it, until the trial has its count or its time is over."""
        import_module(f"tests.trust.{self.module or self.name}").run(trial, place)

    def command(self, seed: int) -> str:
        """Return what does it again."""
        return f"./dev test --full --only {self.name} --seed {seed}"


EXPERIMENTS = (
    Experiment(
        name="kills",
        promise="A process that is killed (`kill -9`) before or after any statement, commit or effect of a run leaves "
        "nothing done twice, nothing done without a record, and nobody untold.",
        counted="kills, each followed by a second try and a look at every record",
        count=2_400,
        minutes=16.0,
    ),
    Experiment(
        name="races",
        promise="Of eight processes that take one confirmation at the same moment, one runs it or one cancels it; the "
        "other seven are told and recorded as too late.",
        counted="rounds of eight processes on one confirmation",
        count=10_000,
        minutes=28.0,
    ),
    Experiment(
        name="outbox",
        promise="Through every fault of Slack (429, 5xx, hangs, lost connections, a channel that is archived, deleted "
        "or left), a locked database and bots that die while they post, every entry of the audit reaches its "
        "channel, in order, and what is there twice says so.",
        counted="entries, looked for in the channel afterwards",
        count=10_000,
        minutes=6.0,
    ),
    Experiment(
        name="requests",
        promise="Nothing but a fresh press by somebody who may does anything: not a request or an envelope that comes "
        "again, comes too late, is out of order, was changed, or was signed by anybody else.",
        counted="forged requests and repeated envelopes",
        count=12_000,
        minutes=4.0,
    ),
    Experiment(
        name="load",
        promise="Twenty commands a second for ten minutes, with Redis frozen and then the database: each is "
        "acknowledged within a second.",
        counted="commands at twenty a second",
        count=12_000,
        minutes=12.0,
        alone=True,
    ),
    Experiment(
        name="inspecting",
        promise="Two hundred commands at once that all ask the workers are all answered.",
        counted="inspecting commands, two hundred at once",
        count=2_000,
        minutes=3.0,
        alone=True,
    ),
    Experiment(
        name="product",
        promise="Every operation, every kind of person, every way to it, the second person's included: who does not "
        "belong is refused, nothing of it happens, and each refusal is in the audit.",
        counted="attempts, which is the whole product",
        count=product.WHOLE,
        minutes=2.0,
    ),
    Experiment(
        name="fuzz",
        promise="Whatever comes in by words, buttons, payloads, forms, queues and names: nothing crashes, nothing "
        "takes long, nothing pings, and no secret of a known shape comes out again.",
        counted="inputs",
        count=1_000_000,
        minutes=10.0,
    ),
    Experiment(
        name="mutation",
        promise="Where authorisation, claim, fingerprint or audit is got wrong in one place, a test notices: nine "
        "times in ten at least.",
        counted="mutants of them",
        count=600,
        minutes=12.0,
    ),
)


def experiment_named(name: str) -> Experiment:
    """Return an experiment. Raises `KeyError` for a name that there is not."""
    return {one.name: one for one in EXPERIMENTS}[name]
