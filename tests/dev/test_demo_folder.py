"""The demo touches no folder but its own, and shares it and its port with nobody."""

import socket
import subprocess
from pathlib import Path

import pytest

from tests.dev.commands import ROOT, python
from tools.demo_folder import demo_folder, refuse_taken, steady_port
from tools.refusal import Refusal

HOLDING = """
import sys, time
from pathlib import Path
from tools.demo_folder import demo_folder
with demo_folder(Path(sys.argv[1]), fresh=False):
    print("mine", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("fresh", [True, False])
def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(
    tmp_path: Path, *, fresh: bool
) -> None:
    (tmp_path / "thesis.md").write_text("years of work")
    with pytest.raises(Refusal, match="nothing was touched"), demo_folder(tmp_path, fresh=fresh):
        pytest.fail("it was lent")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.md"]


def test_fresh_forgets_what_an_earlier_demo_kept_and_nothing_behind_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    with demo_folder(tmp_path / "demo", fresh=False) as folder:
        (folder.path / "kb.sqlite3").touch()
        (folder.path / "link").symlink_to(precious)
    with demo_folder(tmp_path / "demo", fresh=False) as folder:
        assert (folder.path / "kb.sqlite3").exists()
    with demo_folder(tmp_path / "demo", fresh=True) as folder:
        assert sorted(path.name for path in folder.path.iterdir()) == ["lock", "this-is-a-demo"]
    assert (precious / "file").exists()


def test_two_demos_do_not_share_a_folder_and_the_second_hears_of_the_first(tmp_path: Path) -> None:
    command = python(HOLDING, str(tmp_path / "demo"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as first:
        assert first.stdout is not None
        first.stdout.readline()
        with (
            pytest.raises(Refusal, match=rf"used by another demo \(process {first.pid}\)"),
            demo_folder(tmp_path / "demo", fresh=False),
        ):
            pytest.fail("it was lent twice")
        first.kill()


def test_a_demo_that_was_killed_is_waited_for_until_its_processes_have_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with demo_folder(tmp_path / "demo", fresh=False) as folder:
        (folder.path / "lock").write_text("999999999")
        command = python("print('up', flush=True); import sys; sys.stdin.read()")
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(folder.lock,)
        )
    with child:
        assert child.stdin is not None
        waiting = subprocess.Popen(
            python(HOLDING, str(tmp_path / "demo")), stdout=subprocess.PIPE, cwd=ROOT
        )
        with waiting:
            assert waiting.stdout is not None
            assert b"still ending" in waiting.stdout.readline()
            child.stdin.close()
            assert waiting.stdout.readline() == b"mine\n"
            waiting.kill()


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refusal) as refused:
            refuse_taken(port)
    assert str(refused.value) == (
        f"Port {port} is in use: end what listens there, or choose another with --port."
    )


def test_a_demo_keeps_its_ports_unless_somebody_else_took_them(tmp_path: Path) -> None:
    with demo_folder(tmp_path / "demo", fresh=False) as folder:
        port = steady_port(folder, "valkey")
        assert steady_port(folder, "valkey") == port
        with socket.create_server(("127.0.0.1", port)):
            assert steady_port(folder, "valkey") != port


def test_a_folder_that_may_not_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(Refusal, match="--data"),
        demo_folder(tmp_path / "file" / "demo", fresh=False),
    ):
        pytest.fail("it was lent")
