"""What people click: every button and menu entry carries words that go the same road as if they had been typed."""

import json
from collections.abc import Sequence

from slackblocks import ActionsBlock, Button, Option, StaticSelectMenu
from slackblocks.elements import Element

from bot.blocks.text import literal, plain_text
from knowledge_base_agent.redaction import HIDDEN, plain
from knowledge_base_agent.report import Action

WORDS = "words"
"""Action ids that start with this carry words."""
IN_THREAD = f"{WORDS}:thread"
"""Those that start with this are answered in the thread of the message that they stand on."""
CONFIRM = "confirm"
ALONE = "confirm:alone"
"""Of a preview that needs two people, for whoever breaks the glass."""
CANCEL = "cancel"
STOP = "stop"
"""Cancels a preview from a message that is not the preview."""
STATE_REASON = "reason"
"""Carries words that need a reason."""
VALUE_LIMIT = 2000
_OPTION_LIMIT = 150
_LABEL_LIMIT = 75
_A_LINE = 5


def value_of(words: str) -> str:
    """Return a button's value for these words."""
    return json.dumps({"w": words}, ensure_ascii=False)


def may_be_carried(words: str) -> bool:
    """Tell whether words may stand in a message: whoever reads the channel can read a button's value too."""
    return HIDDEN not in plain(words, VALUE_LIMIT)


def words_in(value: str) -> str | None:
    """Return the words in a button's value or a menu entry's; None for what we did not write."""
    if not value.startswith("{"):
        return value or None
    try:
        found = json.loads(value)
    except ValueError:
        return None
    words = found.get("w") if isinstance(found, dict) else None
    return words if isinstance(words, str) and words else None


def button(action: Action, index: int = 0, *, kind: str = WORDS) -> Button | None:
    """Return a button for an action; None where Slack lets no button carry its words, or they hold a secret."""
    value = value_of(action.words)
    if len(value) > VALUE_LIMIT or not may_be_carried(action.words):
        return None
    return Button(
        plain_text(action.label, _LABEL_LIMIT),
        action_id=f"{kind}:{index}",
        value=value,
        style="danger" if action.danger else None,
    )


def buttons(actions: Sequence[Action], *, kind: str = WORDS) -> list[Button]:
    """Return buttons for actions, each with an id of its own."""
    made = (button(action, index, kind=kind) for index, action in enumerate(actions))
    return [one for one in made if one is not None]


def action_rows(actions: Sequence[Action], *, kind: str = WORDS) -> list[ActionsBlock]:
    """Return rows of at most five buttons."""
    made: list[Element] = list(buttons(actions, kind=kind))
    return [ActionsBlock(made[at : at + _A_LINE]) for at in range(0, len(made), _A_LINE)]


def menu(label: str, choices: Sequence[tuple[str, str]], index: int) -> StaticSelectMenu | None:
    """Return a menu of (shown, words); entries that can't be carried are left out, as are those beyond 100."""
    options = [
        Option(plain_text(shown, _LABEL_LIMIT), words)
        for shown, words in choices
        if 0 < len(words) <= _OPTION_LIMIT and not words.startswith("{") and may_be_carried(words)
    ][:100]
    if not options:
        return None
    placeholder = plain_text(literal(f"{label}: choose…", 150), 150)
    return StaticSelectMenu(f"{WORDS}:menu:{index}", options=options, placeholder=placeholder)
