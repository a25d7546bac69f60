"""The words after an operation's name, read by argparse: one parser an operation, without abbreviations.

What argparse would print and exit for becomes `Misunderstood`, which says what is allowed, and gives an example.
"""

import argparse
import difflib
import re
import shlex
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import NoReturn

from knowledge_base_agent.operations.describing import Parameter, every_parameter, parameters, usage
from knowledge_base_agent.operations.operation import AnyOperation
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.redaction import plain, shown_word

_QUOTES = re.compile(r"['\"]")
_FLAG = re.compile("--[^-]")
_SPECIAL = re.compile(r"[^\w@%+=:,./-]")


def joined(name: str, words: Sequence[str]) -> str:
    """Return a name and words as one line that is read as the same words again."""
    return f"{name} {' '.join(map(_quoted, words))}".strip()


def _quoted(word: str) -> str:
    """Return a word as `split` reads it. One with quotes keeps its looks, so that a secret in it is seen and hidden."""
    return _SPECIAL.sub(r"\\\g<0>", word) if _QUOTES.search(word) else shlex.quote(word)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise argparse.ArgumentError(None, message)


class _NotAllowed(Exception):
    """A word that its parameter does not take. No ValueError, so that argparse lets it through as it is."""

    def __init__(self, parameter: Parameter, text: str, reason: ValueError) -> None:
        super().__init__(text)
        self.parameter = parameter
        self.text = text
        self.reason = reason


class _GivenTwice(Exception):
    """A flag of one value that has two: nobody knows which of them is meant."""


class _Once(argparse.Action):
    """Stores a value as argparse does, and lets no second one take its place without a word."""

    def __call__(
        self, _parser: object, found: argparse.Namespace, value: object, *_: object
    ) -> None:
        """Store it. Raises `_GivenTwice`."""
        if getattr(found, self.dest) not in (None, value):
            raise _GivenTwice(self.option_strings[0])
        setattr(found, self.dest, value)


@lru_cache(maxsize=256)
def _parser_of(operation: AnyOperation) -> _Parser:
    """Return the parser of an operation's words, made once: that takes longer than all the rest of understanding."""
    parser = _Parser(prog=operation.name, add_help=False, allow_abbrev=False, exit_on_error=False)
    for parameter in parameters(operation):
        _add(parser, parameter)
    return parser


def _add(parser: _Parser, parameter: Parameter) -> None:
    word = parameter.word
    if word.read is None:
        parser.add_argument(
            *parameter.flags, dest=parameter.name, action="store_true", default=None
        )
        return
    read = partial(_checked, parameter, word.read)
    if word.positional:
        nargs = ("+" if parameter.required else "*") if parameter.many else None
        if not parameter.many and not parameter.required:
            nargs = "?"
        parser.add_argument(parameter.name, nargs=nargs, type=read, default=None)
        return
    action = "append" if parameter.many else _Once
    parser.add_argument(
        *parameter.flags, dest=parameter.name, type=read, action=action, default=None
    )


def _checked(parameter: Parameter, read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except ValueError as error:
        raise _NotAllowed(parameter, text, error) from error


class Reading:
    """One operation's words on their way to values."""

    def __init__(self, operation: AnyOperation, command: str, manner: Sequence[str] = ()) -> None:
        """Take the words of the road that were taken out before: what is suggested has them, too."""
        self._operation = operation
        self._command = command
        self._manner = manner
        self._parameters = parameters(operation)

    def read(self, words: list[str]) -> dict[str, object]:
        """Return the values by the names of their fields. Raises `Misunderstood`."""
        words = [self._lower_flag(word) for word in words]
        try:
            found, left = _parser_of(self._operation).parse_known_args(words)
        except argparse.ArgumentError as error:
            raise self._incomplete(error, words) from error
        except _NotAllowed as error:
            raise self._not_allowed(error, words) from error
        except _GivenTwice as error:
            what = f"{error} is there twice, with another value each time."
            raise Misunderstood(what, f"Write it as `{self._usage()}`.") from error
        if left:
            raise self._left_over(left[0], words)
        return {name: _frozen(value) for name, value in vars(found).items() if value is not None}

    def _not_allowed(self, error: _NotAllowed, words: Sequence[str]) -> Misunderstood:
        shown = shown_word(error.text, words, 60)
        return Misunderstood(
            f"“{shown}” is not allowed for {error.parameter.shown}: {error.reason}.",
            self._example(error.parameter),
        )

    def _example(self, parameter: Parameter) -> str:
        """Return a line that works: with what must be given as well."""
        others = [one.example for one in self._parameters if one.required and one is not parameter]
        words = [self._command, *others, parameter.example, *self._manner]
        return f"For example: `{' '.join(words)}`."

    def _lower_flag(self, word: str) -> str:
        # A phone capitalises; a flag has no capital letters. Values after "=" stay as they are.
        flag, equals, value = word.partition("=")
        return flag.lower() + equals + value if _FLAG.match(flag) else word

    def _incomplete(self, error: argparse.ArgumentError, words: list[str]) -> Misunderstood:
        message = str(error)
        # argparse names it before the colon ("argument --since: …") or, where it is required, after it.
        head, _, tail = message.partition(": ")
        named = {*head.removeprefix("argument ").split("/"), *tail.split(", ")}
        for parameter in self._parameters:
            if named & {*parameter.flags, parameter.name}:
                example = self._example(parameter)
                if words[1:] and words[-1] in parameter.flags:
                    # With what stands before it: without its queue, a purge is one of every queue.
                    whole = " ".join(
                        [joined(self._command, words[:-1]), parameter.example, *self._manner]
                    )
                    example = f"For example: `{plain(whole, 300)}`."
                if parameter.word.read is None:
                    bare = f"Write it as `{parameter.shown}`, alone."
                    return Misunderstood(f"{parameter.shown} takes no value.", bare)
                return Misunderstood(f"{parameter.shown} needs a value.", example)
        return Misunderstood(f"{sentence(message)}", f"Write it as `{self._usage()}`.")

    def _left_over(self, word: str, words: Sequence[str]) -> Misunderstood:
        known = every_parameter(self._operation)
        bare = {flag: one.word.read is None for one in known for flag in one.flags}
        typed = word.partition("=")[0]
        close = difflib.get_close_matches(typed, bare, n=1, cutoff=0.6)
        what = f"`{shown_word(word, words)}` is not something that {self._operation.name} takes."
        if not close:
            return Misunderstood(what, f"Write it as `{self._usage()}`.")
        mended = [
            close[0] + ("" if bare[close[0]] else w[len(typed) :])
            if w.partition("=")[0] == typed
            else w
            for w in words
        ]
        return Misunderstood(
            what,
            f"Did you mean `{close[0]}`? Write it as `{self._usage()}`.",
            suggestion=joined(self._operation.name, [*mended, *self._manner]),
        )

    def _usage(self) -> str:
        head = self._command.rpartition(" ")[0]
        return f"{head} {usage(self._operation, self._command.rpartition(' ')[2])}".strip()


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def sentence(text: str) -> str:
    """Return the text with a capital letter and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."
