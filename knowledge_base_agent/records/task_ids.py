"""What can be a task's id: ids become part of Redis keys, so a pattern like `*` must never pass for one."""

import re
from typing import Final

from knowledge_base_agent.problems import Misunderstood

TASK_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def is_task_id(text: str) -> bool:
    """Tell whether the text can be a task's id."""
    return TASK_ID.fullmatch(text) is not None


def checked(text: str) -> str:
    """Return the text. Raises `Misunderstood` when it cannot be a task's id."""
    if not is_task_id(text):
        raise Misunderstood(
            f"“{text[:40]}” cannot be the id of a task.",
            "An id has 1 to 128 letters, digits or _ . : - and no patterns; copy it from `active` or `stuck`.",
        )
    return text
