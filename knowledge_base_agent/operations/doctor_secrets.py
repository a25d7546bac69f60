"""What `doctor` finds about the files that hold secrets: who else on this machine may read them."""

import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge_base_agent.operations.doctor_findings import Finding, fine, unknown, warning
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.secret_settings import secret_files
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


def secret_findings(deployment: "Deployment") -> Iterator[Finding]:
    """Yield what is to be said of the files that this process was given secrets in; nothing where it was given none."""
    files = secret_files(type(deployment.settings))
    sound = 0
    for name, path in files.items():
        check = f"Who may read {name}"
        try:
            others = open_to_others(path)
        except OSError as error:
            why = f"{plain(str(path), 120)} can't be looked at: {error.strerror}"
            yield unknown(check, why, "The value that was read at the start is in use still.")
            continue
        if others:
            cure = (
                f"Run `chmod o-rwx {shlex.quote(str(path))}`; this user must stay its owner, or in its group. "
                "Whoever else had an account here may have read it: change the secret."
            )
            yield warning(check, f"every user of this machine: {plain(str(path), 120)}", cure)
        else:
            sound += 1
    if sound:
        yield fine("Secrets' files", f"{counted(sound, 'file')} that no other user can read")


def open_to_others(path: Path) -> bool:
    """Tell whether users who neither own a file nor are in its group can read it. Raises OSError.

    They need the file's own leave, and to get through each folder above it, also where links lead to it.
    """
    real = path.resolve(strict=True)
    if not real.stat().st_mode & stat.S_IROTH:
        return False
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
