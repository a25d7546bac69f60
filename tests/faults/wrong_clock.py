"""A process whose wall clock is hours off, really: the C library's own answer is shifted before anyone sees it."""

import shutil
import subprocess
from pathlib import Path

from tests.servers import absent

_SOURCE = Path(__file__).with_suffix(".c")


def wrong_clock(folder: Path, hours: float) -> dict[str, str]:
    """Return what to put into the environment of a process. Skips without a C compiler, fails in CI."""
    compiler = shutil.which("cc")
    if compiler is None:
        absent("a C compiler")
    library = folder / "wrong_clock.so"
    if not library.exists():
        command = [str(compiler), "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE)]
        subprocess.run([*command, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(round(hours * 3600))}
