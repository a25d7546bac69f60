"""`docs/trust.md`, made of the kept figures. `python -m tests.trust.page` writes it."""

from pathlib import Path

from tests.trust.experiments import EXPERIMENTS, SEED, Experiment
from tests.trust.guards import GUARDS
from tests.trust.kept import Kept, all_kept
from tests.trust.trial import Figures

PAGE = Path(__file__).parents[2] / "docs" / "trust.md"
_HEAD = """# Trust

People let a bot purge production only if it is safer than the shell. So what is promised is counted, by tests that
break things for real and judge by a ledger that the bot does not write. `./dev test` counts a little of each; the
figures below were written by `./dev test --full`, which takes up to an hour on two cores. What is random comes from
the seed; which process the machine lets go first does not.

| Promise | Counted | What went wrong | Do it again |
|---|---|---|---|"""
_GUARDS = """## With a guard taken out

Each line that guards a promise is taken out in a process of its own, where the test that is named for it must fail
then: `./dev test tests/trust/test_guards.py`.

| Guard | Where | What fails without it |
|---|---|---|"""
_NOT_PROMISED = """## What is not promised

- **A run that was killed in its middle is neither finished nor taken back.** What it did until then stays done; it is
  announced as interrupted, and a person decides.
- **A power cut is not a `kill -9`.** SQLite runs with `synchronous=NORMAL`, which keeps the file whole but may lose the
  last commits when the machine itself stops. Where that matters, use PostgreSQL.
- **Slack is a stand-in here.** The local Slack is strict and is held against Slack's documents, but it is not Slack.
- **Who holds the machine holds the keys.** The shell asks nobody for a role, and whoever can write to the database and
  to the audit channel alike can rewrite history.
- **A secret with neither a telling name nor a known shape is shown.** Redaction knows names, tokens and URLs; a bare
  word that happens to be a password looks like any other word.
- **A Slack message may appear twice** when a connection broke while it was sent; the second one says that it may be a
  repeat. Effects never are.
- **What a worker does on its own** (redelivery after the visibility timeout, a task that ignores its limits) is
  Celery's; it is shown, not prevented.
"""


def page() -> str:
    """Return the whole page."""
    kept = all_kept()
    rows = [_row(one, kept.get(one.name)) for one in EXPERIMENTS]
    conditions = sorted({f"- {one.on}: {one.machine}; {one.versions}." for one in kept.values()})
    found = [line for name, one in sorted(kept.items()) for line in _remarks(name, one.figures)]
    parts = [_HEAD, *rows, "", "Counted on:", "", *(conditions or ["- not yet."]), ""]
    if found:
        parts += ["## Remarks", "", *found, ""]
    taken_out = [f"| {one.name}. | `{one.function}` | `{one.test}` |" for one in GUARDS]
    return "\n".join([*parts, _GUARDS, *taken_out, "", _NOT_PROMISED])


def _row(experiment: Experiment, kept: Kept | None) -> str:
    seed = kept.figures.seed if kept else SEED
    counted, wrong = _counted(experiment, kept.figures if kept else None), "–"
    if kept:
        counted += f" In {kept.seconds / 60:.0f} min."
        wrong = _wrong(kept.figures)
    return f"| {experiment.promise} | {counted} | {wrong} | `{experiment.command(seed)}` |"


def row_text(experiment: Experiment, kept: Kept) -> str:
    """Return what a terminal shows of an experiment that has ended."""
    figures = kept.figures
    lines = [f"{experiment.name}: {_counted(experiment, figures)} {_wrong(figures)}"]
    lines += [f"  {one}" for one in (*figures.seen, *figures.left_out)]
    return "\n".join([*lines, f"  again: {experiment.command(figures.seed)}"])


def _counted(experiment: Experiment, figures: Figures | None) -> str:
    if figures is None:
        return f"{experiment.count:,} {experiment.counted} wanted; not counted yet."
    text = f"**{figures.reached:,}** {experiment.counted}"
    if figures.reached < figures.wanted:
        text += f", of {figures.wanted:,} wanted"
    more = [f"{number:,} {what}" for what, number in figures.details.items()]
    more += [f"at most {seconds:.3f} s: {what}" for what, seconds in figures.slowest.items()]
    more += [f"{share:.1f} % {what}" for what, share in figures.shares.items()]
    return f"{text} ({'; '.join(more)})." if more else f"{text}."


def _wrong(figures: Figures) -> str:
    counts = ", ".join(f"{what}: **{number}**" for what, number in figures.never.items())
    return counts if figures.finished else f"{counts or '–'}; it did not come to its end"


def _remarks(name: str, figures: Figures) -> list[str]:
    return [f"- {name}: {text.replace('|', '¦')}" for text in (*figures.left_out, *figures.seen)]


def write_page() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write_page()
