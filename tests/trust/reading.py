"""What an experiment has saved, read by the process that started it, however it ended."""

import json
from dataclasses import replace
from pathlib import Path

from tests.trust.experiments import Experiment
from tests.trust.kept import figures_of
from tests.trust.trial import Figures


def figures_in(save: Path, experiment: Experiment, seed: int, why: str) -> Figures:
    """Return the saved figures, with `why` the experiment did not come to its own end."""
    try:
        found = figures_of(json.loads(save.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        found = Figures(seed=seed, wanted=experiment.count, reached=0)
    if why and not any("broke off" in one for one in found.left_out):
        found = replace(found, left_out=(*found.left_out, why))
    return replace(found, finished=found.finished and not why)
