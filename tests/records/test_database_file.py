"""A SQLite file that is missing, goes away or is replaced while a process has it open."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, text

from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.migrate import migrate

_GONE = "is gone or was replaced. Stop the bot, put it back, start it again."
_COUNT = text("SELECT count(*) FROM audit")


@pytest.fixture
def path(sqlite_url: str) -> Path:
    """The file of a migrated database."""
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """An engine that has the file open."""
    opened = open_engine(sqlite_url)
    changes(opened)
    yield opened
    opened.dispose()


def changes(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS seen (number INTEGER)"))
        connection.execute(text("INSERT INTO seen VALUES (1)"))


def seen(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM seen").fetchone()[0])


def test_a_look_at_a_missing_file_says_what_to_do_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "kb.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    for way in (reading, writing):
        with (
            pytest.raises(Away, match=r"There is no database at .*kb\.sqlite3\..* migrate"),
            way(engine),
        ):
            pass
    assert list(tmp_path.iterdir()) == []
    migrate(f"sqlite:///{path}")
    changes(engine)  # the same process goes on once it is there
    engine.dispose()
    assert seen(path) == 1


def test_an_empty_file_is_no_database_and_the_log_beside_it_is_left_alone(
    engine: Engine, path: Path, tmp_path: Path
) -> None:
    kept = shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name} kept") / path.name
    assert (log := kept.with_name(f"{path.name}-wal")).stat().st_size
    kept.write_bytes(b"")
    other = open_engine(f"sqlite:///{kept}")
    with pytest.raises(Away, match="There is no database at"), reading(other):
        pass
    other.dispose()
    assert log.stat().st_size
    shutil.copyfile(path, kept)  # what the log holds comes back with the file
    assert seen(kept) == 1


def test_while_the_file_is_away_nothing_is_read_or_changed(engine: Engine, path: Path) -> None:
    away = path.rename(path.with_name("elsewhere"))
    for way in (writing, reading, writing):
        with pytest.raises(Away) as told, way(engine) as connection:
            connection.execute(_COUNT)
        assert told.value.what == f"The database file {path} {_GONE}"
    assert not path.exists()
    away.rename(path)
    changes(engine)
    engine.dispose()
    assert seen(path) == 2


def test_a_file_that_took_the_place_of_the_one_that_is_open_is_not_written(
    engine: Engine, path: Path
) -> None:
    path.rename(path.with_name("elsewhere"))
    migrate(f"sqlite:///{path}")
    before = path.read_bytes()
    for _ in range(2):  # also not with a new connection, in the middle of what the old one knew
        with pytest.raises(Away, match="was replaced"), writing(engine) as connection:
            connection.execute(_COUNT)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["with space.db", "50%25 é?#1.db", "a&b=c;d.db", 'it\'s "so".db'])
def test_a_name_of_any_characters_is_found(
    name: str, tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(migrated_file, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for named in (f"{tmp_path}/{quote(name)}", quote(name), f"./{quote(name)}"):
        engine = open_engine(f"sqlite:///{named}")
        monkeypatch.chdir("/")  # a relative path is of the folder in which the process started
        changes(engine)
        engine.dispose()
        monkeypatch.chdir(tmp_path)
    assert seen(tmp_path / name) == 3
    assert sorted(one.name for one in tmp_path.iterdir()) == [name]
