"""The form of an operation, derived from its parameters, and the words that a filled-in one stands for. Pure.

Each parameter is an input block with its name as block id; those without a value share one block of checkboxes.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache

from slackblocks import (
    CheckboxGroup,
    InputBlock,
    ModalView,
    Option,
    PlainTextInput,
    SectionBlock,
    StaticMultiSelectMenu,
    StaticSelectMenu,
)
from slackblocks.elements import Element

from bot.blocks.drawn import Json
from bot.blocks.text import literal, plain_text
from knowledge_base_agent.operations.describing import Parameter, parameters
from knowledge_base_agent.operations.operation import AnyOperation, Risk
from knowledge_base_agent.operations.stated import STATED
from knowledge_base_agent.phone_text import split, straighten
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.redaction import shown_word
from knowledge_base_agent.understand import Understood, understand_arguments

FORM = "form"
"""The callback id of every form."""
_VALUE = "value"
_FLAGS = "flags"
_AGAIN = re.compile(r"[,;] can be given again")
_CONFIRMED = "Nothing happens until the preview, which comes where you asked, is confirmed."
_SUBMIT = {Risk.READ: "Show", Risk.CHANGE: "Do it", Risk.DESTROY: "Preview"}
Values = Mapping[str, Mapping[str, Json]]
"""What Slack says was filled in: block id → action id → value."""


def has_form(operation: AnyOperation) -> bool:
    """Tell whether the bare word opens a form: what destroys, and what means nothing without more words."""
    if not parameters(operation):
        return False
    return operation.risk is Risk.DESTROY or needs_words(operation)


@lru_cache(maxsize=256)
def needs_words(operation: AnyOperation) -> bool:
    """Tell whether an operation means nothing by its name alone."""
    try:
        understand_arguments(operation, ())
    except Misunderstood:
        return True
    return False


def label_of(operation: AnyOperation) -> str:
    """Return what stands on a button for an operation: its name, with an ellipsis where a form opens."""
    name = operation.name.replace("-", " ").capitalize()
    return f"{name}…" if has_form(operation) else name


def form_view(operation: AnyOperation, *, carried: str) -> Json:
    """Draw the form. `carried` comes back with what was filled in; nobody sees it."""
    destroys = operation.risk is Risk.DESTROY
    about = f"{operation.summary} {_CONFIRMED}" if destroys else operation.summary
    fields = _fields(operation)
    blocks = [_input(one) for one in fields if one.word.read is not None]
    flags = [one for one in fields if one.word.read is None]
    view: Json = ModalView(
        plain_text(f"/kb {operation.name}", 24),
        [
            SectionBlock(plain_text(about), block_id="about"),
            *blocks,
            *([_checkboxes(flags)] if flags else []),
        ],
        close=plain_text("Cancel"),
        submit=plain_text(_SUBMIT[operation.risk]),
        private_metadata=carried,
        callback_id=FORM,
    ).to_dict()
    return view


def _fields(operation: AnyOperation) -> tuple[Parameter, ...]:
    """Return the parameters, without flags that only spell another one in the guide's way."""
    found = parameters(operation)
    positional = {one.name for one in found if one.word.positional}
    return tuple(one for one in found if f"{one.name}s" not in positional and not _repeats(one))


def _repeats(parameter: Parameter) -> bool:
    return parameter.word.help.startswith("the same as --")


def _input(parameter: Parameter) -> InputBlock:
    return InputBlock(
        plain_text(_label(parameter)),
        _element(parameter),
        block_id=parameter.name,
        hint=plain_text(_sentence(parameter), 2000),
        optional=not (parameter.required or written(parameter)),
    )


def _element(parameter: Parameter) -> Element:
    word = parameter.word
    if not word.choices:
        return PlainTextInput(
            _VALUE,
            initial_value=written(parameter) or None,
            placeholder=plain_text(word.example.strip('"'), 150),
        )
    options = {choice: Option(plain_text(choice, 75), choice) for choice in word.choices[:100]}
    chosen = [options[one] for one in written(parameter).split() if one in options]
    if parameter.many:
        return StaticMultiSelectMenu(
            _VALUE, list(options.values()), initial_options=chosen or None, placeholder="Choose…"
        )
    first = chosen[0] if chosen else None
    return StaticSelectMenu(_VALUE, list(options.values()), initial_option=first)


def _checkboxes(flags: Iterable[Parameter]) -> InputBlock:
    options = [
        Option(plain_text(_label(one), 75), one.name, description=plain_text(_sentence(one), 75))
        for one in flags
    ]
    box = CheckboxGroup(_VALUE, options[:10])
    return InputBlock(plain_text("Options"), box, block_id=_FLAGS, optional=True)


def _label(parameter: Parameter) -> str:
    return parameter.name.replace("_", " ").capitalize()


def _sentence(parameter: Parameter) -> str:
    text = _AGAIN.sub("", parameter.word.help)
    more = "; several with spaces between" if parameter.many and not parameter.word.choices else ""
    return f"{text[:1].upper()}{text[1:]}{more}."


def written(parameter: Parameter) -> str:
    """Return a parameter's default as a person would write it, or nothing where there is none to write."""
    read, default = parameter.word.read, parameter.default
    if read is None or default is None:
        return ""
    values = default if isinstance(default, tuple) else (default,)
    words = [_as_word(value) for value in values]
    try:
        same = [read(word) for word in words] == list(values)
    except ValueError:
        same = False
    return " ".join(words) if same else ""


def _as_word(value: object) -> str:
    if not isinstance(value, timedelta):
        return str(value)
    seconds = int(value.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % length == 0 and (unit != "d" or seconds > length):
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def understood_form(operation: AnyOperation, values: Values) -> Understood | dict[str, str]:
    """Understand a filled-in form, as if its words had been typed; else say what is wrong, by block id."""
    wrong = {
        one.name: why for one in _fields(operation) if (why := _complaint(one, _words(one, values)))
    }
    if wrong:
        return wrong
    try:
        return understand_arguments(operation, _line(operation, values))
    except Misunderstood as problem:
        return {_blamed(operation, problem): literal(problem.what, 300)}


def _complaint(parameter: Parameter, words: list[str]) -> str:
    for word in words:
        try:
            if parameter.word.read is not None:
                parameter.word.read(word)
        except ValueError as error:
            return f"“{shown_word(word, words, 60)}” is not allowed: {error}. For example: {parameter.word.example}"
    return ""


def _blamed(operation: AnyOperation, problem: Misunderstood) -> str:
    """Return the block for a sentence about the whole: that of the field it begins with, or the first."""
    fields = _fields(operation)
    named = (one for one in fields if problem.what.startswith(one.shown))
    parameter = next(named, fields[0])
    return _FLAGS if parameter.word.read is None else parameter.name


def _line(operation: AnyOperation, values: Values) -> list[str]:
    flagged: list[str] = []
    bare: list[str] = []
    for one in _fields(operation):
        words = _words(one, values)
        if one.word.positional:
            bare += words
        elif one.word.read is None:
            flagged += words
        else:
            # With "=", a value that begins with a dash stays a value.
            flagged += [w for word in words for w in _pair(one.flags[0], word)]
    dashed = any(word.startswith("-") for word in bare)
    return [*flagged, *(["--"] if dashed else []), *bare]


def _pair(flag: str, word: str) -> list[str]:
    return [f"{flag}={word}"] if word.startswith("-") else [flag, word]


def _words(parameter: Parameter, values: Values) -> list[str]:
    """Return what was filled in for one parameter, as the words of a line."""
    if parameter.word.read is None:
        ticked = _chosen(_filled(values, _FLAGS))
        return [parameter.flags[0]] if parameter.name in ticked else []
    field = _filled(values, parameter.name)
    if parameter.word.choices:
        return _chosen(field)
    text = str(field.get("value") or "")
    if parameter.name not in STATED:  # a reason is kept as it was written
        text = straighten(text)
    if parameter.many:
        return split(text)
    return [text] if text else []


def _filled(values: Values, block: str) -> Json:
    """Return the state of one field; an empty one where something else or nothing came."""
    actions = values.get(block)
    field = actions.get(_VALUE) if isinstance(actions, dict) else None
    return field if isinstance(field, dict) else {}


def _chosen(field: Json) -> list[str]:
    options = field.get("selected_options") or [field.get("selected_option")]
    several = options if isinstance(options, list) else []
    return [str(one.get("value")) for one in several if isinstance(one, dict)]
