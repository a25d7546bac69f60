"""`python -m tests.trust.one NAME …`: one experiment in a process of its own, so that it can fail or hang alone."""

import argparse
import sys
import traceback
from pathlib import Path

from _pytest.outcomes import OutcomeException

from tests.trust.experiments import experiment_named
from tests.trust.place import place_of_its_own
from tests.trust.trial import Trial


def main(arguments: list[str]) -> int:
    """Do it and save its figures; 0 when it came to its end, whatever it counted."""
    asked = _parser().parse_args(arguments)
    trial = Trial(count=asked.count, seed=asked.seed, minutes=asked.minutes, save=asked.save)
    trial.keep()
    try:
        with place_of_its_own() as place:
            experiment_named(asked.name).run(trial, place)
    except (Exception, OutcomeException) as error:  # noqa: BLE001 - its figures must not be lost with it
        traceback.print_exc()
        trial.left_out(f"broke off: {type(error).__name__}: {str(error)[:300]}")
        trial.keep()
        return 1
    trial.keep(finished=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("name")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--save", type=Path, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
