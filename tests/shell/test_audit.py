"""The audit from the shell: searched, verified with a truthful exit code, exported so that anybody can check it."""

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from knowledge_base_agent.audit import Kind, entry_of, write
from knowledge_base_agent.records.audit_chain import read_head
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from tests.records.audit_tampering import OTTO, edit, happened, rewrite
from tests.records.deployment import ROOT

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """The database that the shell works on."""
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def alone(sqlite_url: str, tmp_path: Path) -> Shell:
    """Runs `python celery_monitor.py …` with a database and nothing else that answers."""
    variables = {"PATH": os.environ["PATH"], "DATABASE_URL": sqlite_url, "HOME": str(tmp_path)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, str(ROOT / "celery_monitor.py"), *words]
        return subprocess.run(
            line,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=variables,
            timeout=60,
            check=False,
        )

    return run


def test_verify_says_what_it_looked_at_and_the_exit_code_tells_damage(
    alone: Shell, engine: Engine
) -> None:
    happened(engine, 105)
    whole = alone("audit", "verify")
    assert whole.returncode == 0, whole.stderr
    assert "is consistent in itself; not compared with the channel: only the bot" in whole.stdout
    # Of its own two entries, the question may be in the database by then; the answer never is.
    said = re.search(r"^(\d+):([0-9a-f]{64})$", whole.stdout, re.MULTILINE)
    assert said, whole.stdout
    with reading(engine) as connection:
        query = select(AUDIT.c.seal).where(AUDIT.c.id == int(said[1]))
        assert connection.scalar(query) == said[2], "whole, so that it can be copied"
    assert int(said[1]) >= 106
    with writing(engine) as connection:
        edit(42, words="nothing")(connection)
    broken = alone("audit", "verify", "--json")
    assert broken.returncode == 1
    answer = json.loads(broken.stdout)
    assert answer["data"]["broken"] == {"entry": 42, "damage": "edited"}
    assert answer["title"] == "The audit is broken"


def test_a_head_that_was_copied_shows_a_chain_that_was_written_anew(
    alone: Shell, engine: Engine
) -> None:
    happened(engine, 30)
    with reading(engine) as connection:
        head = read_head(connection)
    copied = f"entry {head.number}, sha256 {head.seal}"
    same = alone("audit", "verify", "--head", copied)
    assert "agrees with 1 head that you gave" in same.stdout
    with writing(engine) as connection:
        edit(12, words="never said")(connection)
        rewrite(connection)
    assert alone("audit", "verify").returncode == 0  # from within it is whole again
    shown = alone("audit", "verify", "--head", f"{head.number}:{head.seal[:20]}")
    assert shown.returncode == 1
    assert "Entry 30: rewritten: it does not match its seal in the head 30:" in shown.stdout
    unclear = alone("audit", "verify", "--head", "30")
    assert (unclear.returncode, "a head is" in unclear.stderr) == (2, True)


def test_exported_lines_can_be_verified_by_anybody_and_hold_every_entry(
    alone: Shell, engine: Engine
) -> None:
    happened(engine, 1100, at_once=100)
    done = alone("audit", "export")
    assert done.returncode == 0, done.stderr
    assert "entries exported" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines[:1111]] == [*range(1, 1112)]
    previous = "0" * 64
    for line in lines:
        said = {k: v for k, v in line.items() if k not in ("seal", "posted_at")}
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(f"kb-audit-1\n{previous}\n{text}".encode()).hexdigest()
        assert line["seal"] == previous, line


def test_a_table_holds_no_formula_and_takes_its_name_when_it_is_whole(
    alone: Shell, engine: Engine, tmp_path: Path
) -> None:
    typed = ["=HYPERLINK(1)", "+1", "-2", "@SUM(A1)", 'a "quoted", word', "plain"]
    with writing(engine) as connection:
        write(connection, *(entry_of(OTTO, Kind.REQUESTED, "find", words=one) for one in typed))
    done = alone("audit", "export", "--format", "csv", "--operation", "find", "--output", "a.csv")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    safe = ["'=HYPERLINK(1)", "'+1", "'-2", "'@SUM(A1)", 'a "quoted", word', "plain"]
    assert [row["words"] for row in rows] == safe
    nowhere = alone("audit", "export", "--output", "no/such/folder/a.csv")
    assert nowhere.returncode == 1
    assert "can't be written" in nowhere.stderr
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".a.csv")]


def test_entries_are_found_by_who_what_and_when(alone: Shell, engine: Engine) -> None:
    happened(engine, 3)
    with writing(engine) as connection:
        for kind in (Kind.STARTED, Kind.ENDED):
            entry = entry_of(OTTO, kind, "clear", words="clear --older-than 12", run_id="op-7")
            write(connection, entry)
    found = alone("audit", "--run", "7", "--kind", "ended", "--person", "OTT", "--json")
    answer = json.loads(found.stdout)
    assert [row["kind"] for row in answer["parts"][0]["rows"]] == ["ended"]
    assert answer["text"] == "1 entry by OTT, ended, of op-7."
    nobody = json.loads(alone("audit", "--person", "100%", "--json").stdout)
    assert nobody["text"] == "The audit has no entries by 100%."
