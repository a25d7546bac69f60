"""What a person has before their eyes: messages and modals, with the words and buttons in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
_READ = (
    "text",
    "title",
    "subtitle",
    "body",
    "subtext",
    "label",
    "hint",
    "caption",
    "placeholder",
    "alt_text",
    "name",
)


def unescaped(text: str) -> str:
    """mrkdwn as a person reads it: Slack shows the three escaped characters as themselves."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def words_in(value: Any) -> Iterator[str]:
    """All visible strings of blocks, in order."""
    if isinstance(value, list):
        for inner in value:
            yield from words_in(inner)
    elif isinstance(value, dict):
        marked = value.get("type") == "mrkdwn"
        for key, inner in value.items():
            if isinstance(inner, str):
                if key in _READ:
                    yield unescaped(inner) if marked else inner
            elif key not in ("confirm", "state"):
                yield from words_in(inner)


@dataclass(frozen=True, kw_only=True)
class Control:
    """Something to click or choose from: its visible label (or placeholder), and where it stands."""

    label: str
    kind: str
    action_id: str
    block_id: str
    near: str
    options: tuple[str, ...]
    value: str | None
    confirm: Json | None


def controls_in(blocks: list[Json]) -> list[Control]:
    """All controls of these blocks, those within containers and cards too."""
    found: list[Control] = []
    above = ""
    for block in blocks:
        found += controls_in([*block.get("child_blocks", []), *_cards(block)])
        elements = (
            list(block.get("elements", []))
            if block["type"] in ("actions", "context_actions")
            else []
        )
        elements += [
            block[key] for key in ("accessory", "element") if isinstance(block.get(key), dict)
        ]
        elements += block.get("actions", [])
        near = " ".join(words_in(block))
        if block["type"] == "actions":
            near = f"{above} {near}"  # a row of buttons belongs to what stands right above it
        above = near
        found += [_control(block, element, near) for element in elements if "action_id" in element]
    return found


def _cards(block: Json) -> list[Json]:
    return block["elements"] if block["type"] == "carousel" else []


def _control(block: Json, element: Json, near: str) -> Control:
    shown = element.get("text") or (
        block.get("label") if block["type"] == "input" else element.get("placeholder")
    )
    groups = [option for group in element.get("option_groups", []) for option in group["options"]]
    options = [option["text"]["text"] for option in [*element.get("options", []), *groups]]
    return Control(
        label=shown["text"] if shown else element["action_id"],
        kind=element["type"],
        action_id=element["action_id"],
        block_id=block["block_id"],
        near=near,
        options=tuple(options),
        value=element.get("value"),
        confirm=element.get("confirm"),
    )


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as one person sees it."""

    source: Json

    @property
    def ts(self) -> str:
        """Its time stamp, which names it in its channel."""
        return str(self.source["ts"])

    @property
    def channel(self) -> str:
        """The id of its channel."""
        return str(self.source["channel"])

    @property
    def thread_ts(self) -> str | None:
        """The parent, if it is a reply."""
        return self.source.get("thread_ts")

    @property
    def is_ephemeral(self) -> bool:
        """Whether only this person sees it."""
        return bool(self.source["is_ephemeral"])

    @property
    def change(self) -> int:
        """The number of its last change; later changes have higher ones."""
        return int(self.source["change"])

    @property
    def blocks(self) -> list[Json]:
        """Its blocks; empty for plain text."""
        return self.source.get("blocks") or []

    @property
    def text(self) -> str:
        """The text that stands alone: what notifications and clients without blocks show."""
        return str(self.source["text"])

    @property
    def shown(self) -> str:
        """All words that are visible: the blocks' if there are any, else the text; and the names of files."""
        words = list(words_in(self.blocks)) if self.blocks else [unescaped(self.text)]
        files = [str(file["title"]) for file in self.source.get("files", [])]
        return "\n".join([*words, *files])

    @property
    def controls(self) -> list[Control]:
        """Everything to click."""
        return controls_in(self.blocks)

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons."""
        return [control.label for control in self.controls if control.kind == "button"]

    @property
    def rows(self) -> list[list[str]]:
        """The cells of its tables, header first."""
        tables = [block for block in self.blocks if block["type"] in ("data_table", "table")]
        return [
            ["".join(words_in(cell)) for cell in row] for table in tables for row in table["rows"]
        ]

    @property
    def files(self) -> list[Json]:
        """Its files, each with a URL to read it from."""
        return self.source.get("files") or []


@dataclass(frozen=True, kw_only=True)
class View:
    """A modal or Home tab as its owner sees it."""

    source: Json

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.source["id"])

    @property
    def title(self) -> str:
        """The title bar of a modal; empty for a Home tab."""
        return str((self.source.get("title") or {}).get("text", ""))

    @property
    def blocks(self) -> list[Json]:
        """Its blocks."""
        return list(self.source["blocks"])

    @property
    def shown(self) -> str:
        """All words that are visible in it."""
        return "\n".join([self.title, *words_in(self.blocks)])

    @property
    def controls(self) -> list[Control]:
        """Everything to click or fill in."""
        return controls_in(self.blocks)

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons."""
        return [control.label for control in self.controls if control.kind == "button"]

    @property
    def fields(self) -> list[str]:
        """The labels of what can be filled in."""
        inputs = {block["block_id"] for block in self.blocks if block["type"] == "input"}
        return [control.label for control in self.controls if control.block_id in inputs]
