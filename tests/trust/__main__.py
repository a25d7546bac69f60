"""`./dev test --full`: every experiment with its whole count, and `docs/trust.md` from what they found.

Two at once, the longest first; those that measure how long something takes come last, one at a time.

Each is a process of its own with a time of its own: what fails or hangs loses neither its own figures nor another's.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tests.trust.experiments import AT_ONCE, EXPERIMENTS, FULL_MINUTES, SEED, Experiment
from tests.trust.kept import Kept, keep
from tests.trust.page import row_text, write_page
from tests.trust.reading import figures_in
from tests.trust.trial import Figures

_GRACE = 90.0
"""Seconds that an experiment gets for its last round and for clearing up, beyond its time."""
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a full run was asked for."""

    seed: int
    minutes: float
    count: int | None
    folder: Path


def main(arguments: list[str]) -> int:
    """Run what was asked for; return 0 only if everything reached its count and nothing went wrong."""
    asked = _parser().parse_args(arguments)
    chosen = [one for one in EXPERIMENTS if not asked.only or one.name in asked.only]
    with tempfile.TemporaryDirectory(prefix="kb-full-") as folder:
        run = Asked(seed=asked.seed, minutes=asked.minutes, count=asked.count, folder=Path(folder))
        _say(f"seed {run.seed}; {len(chosen)} experiments, {AT_ONCE} at once, {run.minutes:g} min")
        return 0 if _all(chosen, run) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev test --full",
        description="Count what is promised, and write docs/trust.md.",
        allow_abbrev=False,
    )
    names = [one.name for one in EXPERIMENTS]
    parser.add_argument("--only", action="append", choices=names, help="can be given again")
    parser.add_argument("--seed", type=int, default=SEED, help="what everything random comes from")
    parser.add_argument(
        "--minutes", type=float, default=FULL_MINUTES, help="for all of it (%(default)s)"
    )
    parser.add_argument(
        "--count", type=int, help="another number than the promised one; the page is left alone"
    )
    return parser


def _all(chosen: list[Experiment], run: Asked) -> bool:
    good = True
    for experiment, kept in _each(chosen, run):
        good = good and _fulfilled(kept.figures)
        _say(row_text(experiment, kept))
        if run.count is None:
            keep(experiment.name, kept)
            write_page()
    return good


def _each(chosen: list[Experiment], run: Asked) -> Iterator[tuple[Experiment, Kept]]:
    together = sorted(
        (one for one in chosen if not one.alone), key=lambda one: one.minutes, reverse=True
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in as_completed([pool.submit(_one, one, run) for one in together]):
            yield done.result()
    for one in chosen:
        if one.alone:
            yield _one(one, run)


def _fulfilled(figures: Figures) -> bool:
    return figures.finished and not figures.broken and figures.reached >= figures.wanted


def _one(experiment: Experiment, run: Asked) -> tuple[Experiment, Kept]:
    minutes = experiment.minutes * run.minutes / FULL_MINUTES
    save = run.folder / f"{experiment.name}.json"
    log = run.folder / f"{experiment.name}.log"
    words = [sys.executable, "-m", "tests.trust.one", experiment.name, "--seed", str(run.seed)]
    words += ["--count", str(run.count or experiment.count), "--minutes", f"{minutes:.2f}"]
    started = time.monotonic()
    with log.open("wb") as printed:
        child = subprocess.Popen(
            [*words, "--save", str(save)],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        why = _ended(child, minutes * 60 + _GRACE)
    if why:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        _say("\n".join([f"{experiment.name} {why}; it printed last:", *tail]))
    figures = figures_in(save, experiment, run.seed, why)
    return experiment, Kept.now(figures, time.monotonic() - started)


def _ended(child: "subprocess.Popen[bytes]", within: float) -> str:
    """Wait for an experiment and end whatever it started; return what was wrong with its end, or an empty text."""
    why = ""
    try:
        code = child.wait(within)
        why = "" if code == 0 else f"broke off (exit code {code})"
    except subprocess.TimeoutExpired:
        why = f"did not end within {within / 60:.1f} min"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return why


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
