"""How much memory a worker uses and may use, out of the kernel's files."""

from pathlib import Path

import pytest

from knowledge_base_agent.fleet.worker_memory import cgroup_memory


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"memory.max": "100", "memory.current": "60", "memory.stat": "file 3\ninactive_file 10\n"}, (50, 100)),
        ({"memory.max": "max", "memory.current": "60"}, None),
        ({"memory.max": "5000", "memory.current": "60"}, None),
        ({"memory.max": "100", "memory.current": "60"}, (60, 100)),
        (
            {
                "memory/memory.limit_in_bytes": "100",
                "memory/memory.usage_in_bytes": "60",
                "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 20\n",
            },
            (40, 100),
        ),
        ({}, None),
    ],
    ids=["limited", "no limit", "above the machine", "without its cache", "version 1", "none"],
)  # fmt: skip
def test_what_a_cgroup_allows_and_uses(
    tmp_path: Path, files: dict[str, str], found: tuple[int, int] | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="ascii")
    assert cgroup_memory(str(tmp_path), 1000) == found
