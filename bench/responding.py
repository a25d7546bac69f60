"""A process that answers as simulated workers do: how it is told its answer, and when it is ready, on either broker."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fleet.running import ROOT


@contextlib.contextmanager
def responding(
    command: list[str], sample: Mapping[str, Any], environment: Mapping[str, str]
) -> Iterator[None]:
    """Run `python -m` with these words until the end of the block, which begins when it listens."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=pipe,
        stdout=pipe,
        text=True,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(sample) + "\n")
            process.stdin.flush()
            assert process.stdout.readline().strip() == "listening"
            yield
        finally:
            process.terminate()
