"""What a person may give the agent to read."""

from pathlib import Path

import pytest

from knowledge_base_agent.agent.sources import Kind, list_documents, understand_source
from knowledge_base_agent.agent.unreadable import Unreadable
from tests.agent.material import handbook

BOOKMARKS = """<!DOCTYPE NETSCAPE-Bookmark-file-1>
<DL><p><DT><H3>Work</H3><DL><p>
<DT><A HREF="https://Example.org/a?x=1#part">A</A>
<DT><A HREF="javascript:alert(1)">bad</A><DT><A HREF="file:///etc/passwd">bad</A>
<DT><A HREF="https://example.org/a?x=1">the same again</A>
<DT><A HREF="http://other.example">B</A></DL></DL>
"""


def locations(source: str | Path) -> list[str]:
    return [listed.location for listed in list_documents(understand_source(str(source)))]


def test_a_folder_gives_its_documents_without_what_is_hidden_or_of_another_kind(
    tmp_path: Path,
) -> None:
    folder = handbook(tmp_path / "book")
    (folder / ".git").mkdir()
    (folder / ".git" / "config.txt").write_text("not a document")
    listed = list_documents(understand_source(str(folder)))
    assert [(one.heading, Path(one.location).name) for one in listed] == [
        ("book", "broken.pdf"),
        ("book", "manual.pdf"),
        ("book", "notes.txt"),
        ("book/guide", "install.md"),
        ("book/guide", "pumps.html"),
    ]


def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "secret.txt").write_text("secret")
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / "real.txt").write_text("real")
    (folder / "out.txt").symlink_to(tmp_path / "private" / "secret.txt")
    (folder / "private").symlink_to(tmp_path / "private", target_is_directory=True)
    (folder / "round").symlink_to(folder, target_is_directory=True)
    (folder / "gone.txt").symlink_to(folder / "nowhere.txt")
    (folder / "alias.md").symlink_to(folder / "real.txt")
    assert [Path(found).name for found in locations(folder)] == ["alias.md", "real.txt"]


def test_a_bookmarks_export_gives_its_web_addresses_each_once(tmp_path: Path) -> None:
    export = tmp_path / "bookmarks.html"
    export.write_text(BOOKMARKS)
    assert understand_source(str(export)).kind is Kind.LINKS
    assert locations(export) == ["https://example.org/a?x=1", "http://other.example/"]


def test_a_text_file_is_a_list_only_when_it_holds_nothing_but_addresses(tmp_path: Path) -> None:
    addresses = tmp_path / "sites.txt"
    addresses.write_text("# ours\nhttps://example.org/a\n\nhttp://example.org/b\n")
    prose = tmp_path / "prose.txt"
    prose.write_text("https://example.org/a\nis where we look first\n")
    assert locations(addresses) == ["http://example.org/b", "https://example.org/a"]
    assert understand_source(str(prose)).kind is Kind.FILE
    assert locations(prose) == [str(prose)]


def test_the_same_source_has_one_name_however_it_is_spelt(tmp_path: Path) -> None:
    folder = handbook(tmp_path / "book")
    assert understand_source(f"{folder}/guide/../") == understand_source(str(folder))
    assert understand_source("HTTPS://Example.org#top").name == "https://example.org/"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "No source was given."),
        ("file:///etc/passwd", "is not an http or https address"),
        ("ftp://example.org/x", "is not an http or https address"),
        ("https:///nowhere", "is not an http or https address"),
        ("https://exa mple.org/", "is not an http or https address"),
        ("/no/such/folder", "There is no folder or file /no/such/folder"),
        ("a\0b", "There is no folder or file"),
        ("/dev/null", "neither a folder nor a file"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_with_what_is_allowed(
    source: str, said: str
) -> None:
    with pytest.raises(Unreadable) as refusal:
        understand_source(source)
    assert said in refusal.value.what
    assert "one http(s) URL" in refusal.value.cure


def test_a_folder_without_documents_and_a_file_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    with pytest.raises(Unreadable, match="nothing to read"):
        locations(tmp_path)
    with pytest.raises(Unreadable, match="not of a kind"):
        locations(tmp_path / "picture.png")
