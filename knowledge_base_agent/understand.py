"""From words to an operation and its arguments. Pure: touches nothing but the list of operations.

What is not understood becomes `Misunderstood`, which says what is allowed, gives an example, and what was probably
meant.
"""

import difflib
from collections.abc import Sequence

from msgspec import Struct
from pydantic import ValidationError

from knowledge_base_agent.operations import NAMES
from knowledge_base_agent.operations.describing import manners, parameters, usage
from knowledge_base_agent.operations.operation import AnyOperation, Arguments
from knowledge_base_agent.operations.stated import STATED, UNSTATED, Stated
from knowledge_base_agent.phone_text import open_quote, words_of
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.reading_words import Reading, joined, sentence
from knowledge_base_agent.redaction import plain


class Understood(Struct, frozen=True, kw_only=True):
    """What was meant: the operation, its checked arguments, the stated reason, and the words after straightening."""

    operation: AnyOperation
    arguments: Arguments
    words: str
    repeat: bool = False
    """They mean it, though the same was done a moment ago: `--repeat`, a word of everything that changes something."""
    only_shown: bool = False
    """They want to see the preview of what destroys, and no more: `--dry-run`."""
    stated: Stated = UNSTATED


def understand(text: str, *, prompt: str = "/kb ") -> Understood:
    """Understand what a person typed after the command. Raises `Misunderstood`. Nothing typed means `help`."""
    try:
        operation, _, rest = operation_of(words_of(text) or ["help"], prompt=prompt)
        return understand_arguments(operation, rest, prompt=prompt)
    except Misunderstood as problem:
        problem.what = open_quote(text) + problem.what
        raise


def operation_of(
    words: Sequence[str], *, prompt: str = "/kb "
) -> tuple[AnyOperation, str, Sequence[str]]:
    """Return the operation that words begin with, its name as written, and the rest; a name has one word or two.

    Raises `Misunderstood`, with what was probably meant.
    """
    both = " ".join(words[:2]).lower()
    if len(words) > 1 and both in NAMES:
        return NAMES[both].load(), both, words[2:]
    _check_second_word(words, prompt)
    return find_operation(words[0], words[1:], prompt=prompt), words[0], words[1:]


def _check_second_word(words: Sequence[str], prompt: str) -> None:
    """Raise `Misunderstood` for `workers grwo 2`: where the first word alone takes no words, a name was meant."""
    head = words[0].lower()
    seconds = [name.partition(" ")[2] for name in NAMES if name.startswith(f"{head} ")]
    if not seconds or len(words) < 2 or words[1].startswith("-"):
        return
    alone = NAMES.get(head)
    if alone is not None and any(one.word.positional for one in parameters(alone.load())):
        return
    close = difflib.get_close_matches(words[1].lower(), seconds, n=1, cutoff=0.5)
    meant = f"Did you mean `{prompt}{head} {close[0]}`? " if close else ""
    raise Misunderstood(
        f"`{plain(words[1], 40)}` is not something that {head} does.",
        f"{meant}It knows: {', '.join(seconds)}.",
        suggestion=joined(f"{head} {close[0]}", words[2:]) if close else "",
    )


def understand_arguments(
    operation: AnyOperation, words: Sequence[str], *, prompt: str = "/kb ", name: str = ""
) -> Understood:
    """Understand the words that follow an operation's name. Raises `Misunderstood`."""
    name = name or operation.name
    flags = {flag: one.name for one in manners(operation) for flag in one.flags}
    asked = [word.lower() for word in words if word.lower() in flags]
    manner = {flags[flag] for flag in asked}
    meant = [word for word in words if word.lower() not in flags]
    values = Reading(operation, prompt + name, asked).read(meant)
    try:
        why = Stated.model_validate({one: values.pop(one) for one in STATED & values.keys()})
        arguments = operation.arguments(**values)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise Misunderstood(
            f"{sentence(reason)}", f"Write it as `{prompt}{usage(operation, name)}`."
        ) from error
    return Understood(
        operation=operation, arguments=arguments, words=joined(name, words), stated=why,
        repeat="repeat" in manner, only_shown="dry_run" in manner,
    )  # fmt: skip


def find_operation(word: str, rest: Sequence[str] = (), *, prompt: str = "/kb ") -> AnyOperation:
    """Return the operation of this name, in any case. Raises `Misunderstood`, with what was probably meant."""
    found = NAMES.get(word.lower())
    if found is not None:
        return found.load()
    shown = plain(word, 40)
    close = difflib.get_close_matches(word.lower(), NAMES, n=1, cutoff=0.6)
    if not close:
        raise Misunderstood(
            f"I don't know “{shown}”.", f"`{prompt}help` lists what I know.", suggestion="help"
        )
    suggestion = joined(close[0], rest)
    raise Misunderstood(
        f"I don't know “{shown}”.",
        f"Did you mean `{prompt}{close[0]}`? `{prompt}help` lists what I know.",
        suggestion=suggestion,
    )
