"""From words to an operation and its arguments. Pure: touches nothing but the list of operations.

The words go through argparse, one parser an operation, without abbreviations; what argparse would print and exit for
becomes `Misunderstood`, which says what is allowed, gives an example, and what was probably meant.
"""

import argparse
import difflib
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from pydantic import ValidationError

from knowledge_base_agent.operations import NAMES
from knowledge_base_agent.operations.describing import Parameter, parameters, usage
from knowledge_base_agent.operations.operation import AnyOperation, Arguments, Risk
from knowledge_base_agent.operations.stated import STATED, UNSTATED, Stated
from knowledge_base_agent.phone_text import open_quote, words_of
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.redaction import plain, shown_word
from knowledge_base_agent.repeats import FLAG

_QUOTES = re.compile(r"['\"]")
_FLAG = re.compile("--[^-]")
_SPECIAL = re.compile(r"[^\w@%+=:,./-]")


@dataclass(frozen=True, kw_only=True)
class Understood:
    """What was meant: the operation, its checked arguments, the stated reason, and the words after straightening."""

    operation: AnyOperation
    arguments: Arguments
    words: str
    repeat: bool = False
    """They mean it, though the same was done a moment ago: `--repeat`, a word of everything that changes something."""
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
        suggestion=_joined(f"{head} {close[0]}", words[2:]) if close else "",
    )


def _joined(name: str, words: Sequence[str]) -> str:
    return f"{name} {' '.join(map(_quoted, words))}".strip()


def _quoted(word: str) -> str:
    """Return a word as `split` reads it. One with quotes keeps its looks, so that a secret in it is seen and hidden."""
    return _SPECIAL.sub(r"\\\g<0>", word) if _QUOTES.search(word) else shlex.quote(word)


def understand_arguments(
    operation: AnyOperation, words: Sequence[str], *, prompt: str = "/kb ", name: str = ""
) -> Understood:
    """Understand the words that follow an operation's name. Raises `Misunderstood`."""
    name = name or operation.name
    meant = [word for word in words if word.lower() != FLAG or operation.risk is Risk.READ]
    values = _Reading(operation, prompt + name).read(meant)
    try:
        why = Stated.model_validate({one: values.pop(one) for one in STATED & values.keys()})
        arguments = operation.arguments(**values)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise Misunderstood(
            f"{_sentence(reason)}", f"Write it as `{prompt}{usage(operation, name)}`."
        ) from error
    return Understood(
        operation=operation, arguments=arguments, words=_joined(name, words), stated=why,
        repeat=len(meant) < len(words),
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
    suggestion = _joined(close[0], rest)
    raise Misunderstood(
        f"I don't know “{shown}”.",
        f"Did you mean `{prompt}{close[0]}`? `{prompt}help` lists what I know.",
        suggestion=suggestion,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise argparse.ArgumentError(None, message)


class _Reading:
    """One operation's words on their way to values."""

    def __init__(self, operation: AnyOperation, command: str) -> None:
        self._operation = operation
        self._command = command
        self._parameters = parameters(operation)
        self._words: list[str] = []
        self._parser = _Parser(
            prog=command, add_help=False, allow_abbrev=False, exit_on_error=False
        )
        for parameter in self._parameters:
            self._add(parameter)

    def read(self, words: list[str]) -> dict[str, object]:
        words = self._words = [self._lower_flag(word) for word in words]
        try:
            found, left = self._parser.parse_known_args(words)
        except argparse.ArgumentError as error:
            raise self._incomplete(error) from error
        if left:
            raise self._left_over(left[0], words)
        return {name: _frozen(value) for name, value in vars(found).items() if value is not None}

    def _add(self, parameter: Parameter) -> None:
        word = parameter.word
        if word.read is None:
            self._parser.add_argument(
                *parameter.flags, dest=parameter.name, action="store_true", default=None
            )
            return
        read = self._reader(parameter, word.read)
        if word.positional:
            nargs = ("+" if parameter.required else "*") if parameter.many else None
            if not parameter.many and not parameter.required:
                nargs = "?"
            self._parser.add_argument(parameter.name, nargs=nargs, type=read, default=None)
            return
        action = "append" if parameter.many else "store"
        self._parser.add_argument(
            *parameter.flags, dest=parameter.name, type=read, action=action, default=None
        )

    def _reader(
        self, parameter: Parameter, read: Callable[[str], object]
    ) -> Callable[[str], object]:
        def checked(text: str) -> object:
            try:
                return read(text)
            except ValueError as error:
                # Misunderstood is no ValueError, so argparse lets it through as it is.
                raise Misunderstood(
                    f"“{shown_word(text, self._words, 60)}” is not allowed for {parameter.shown}: {error}.",
                    self._example(parameter),
                ) from error

        return checked

    def _example(self, parameter: Parameter) -> str:
        """Return a line that works: with what must be given as well."""
        others = [one.example for one in self._parameters if one.required and one is not parameter]
        return f"For example: `{' '.join([self._command, *others, parameter.example])}`."

    def _lower_flag(self, word: str) -> str:
        # A phone capitalises; a flag has no capital letters. Values after "=" stay as they are.
        flag, equals, value = word.partition("=")
        return flag.lower() + equals + value if _FLAG.match(flag) else word

    def _incomplete(self, error: argparse.ArgumentError) -> Misunderstood:
        message = str(error)
        # argparse names it before the colon ("argument --since: …") or, where it is required, after it.
        head, _, tail = message.partition(": ")
        named = {*head.removeprefix("argument ").split("/"), *tail.split(", ")}
        for parameter in self._parameters:
            if named & {*parameter.flags, parameter.name}:
                return Misunderstood(f"{parameter.shown} needs a value.", self._example(parameter))
        return Misunderstood(f"{_sentence(message)}", f"Write it as `{self._usage()}`.")

    def _left_over(self, word: str, words: Sequence[str]) -> Misunderstood:
        flags = [flag for parameter in self._parameters for flag in parameter.flags]
        typed = word.partition("=")[0]
        close = difflib.get_close_matches(typed, flags, n=1, cutoff=0.6)
        what = f"`{shown_word(word, words)}` is not something that {self._operation.name} takes."
        if not close:
            return Misunderstood(what, f"Write it as `{self._usage()}`.")
        mended = [close[0] + w[len(typed) :] if w.partition("=")[0] == typed else w for w in words]
        return Misunderstood(
            what,
            f"Did you mean `{close[0]}`? Write it as `{self._usage()}`.",
            suggestion=_joined(self._operation.name, mended),
        )

    def _usage(self) -> str:
        head = self._command.rpartition(" ")[0]
        return f"{head} {usage(self._operation, self._command.rpartition(' ')[2])}".strip()


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
