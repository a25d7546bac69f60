"""What an operation looks like from outside, derived from its declaration: parameters, usage, help, form fields."""

import types
import typing
from functools import lru_cache

from msgspec import Struct
from pydantic.fields import FieldInfo

from knowledge_base_agent.operations.operation import AnyOperation, Risk, Word
from knowledge_base_agent.operations.stated import Manner, Stated


class Parameter(Struct, frozen=True, kw_only=True):
    """One field of an operation's arguments, as people write it."""

    name: str
    word: Word
    many: bool
    required: bool
    default: object

    @property
    def flags(self) -> tuple[str, ...]:
        """`--older-than`, and `-n` where there is a short one; nothing for what is written without a flag."""
        if self.word.positional:
            return ()
        long = f"--{self.name.replace('_', '-').rstrip('-')}"  # `for_`: `for` can't be a field
        return (long, f"-{self.word.short}") if self.word.short else (long,)

    @property
    def shown(self) -> str:
        """Its name in a sentence."""
        return self.flags[0] if self.flags else self.name.upper()

    @property
    def example(self) -> str:
        """The parameter as a person would write it."""
        return self.word.example if self.word.positional else f"{self.flags[0]} {self.word.example}"

    @property
    def usage(self) -> str:
        """The parameter in a usage line."""
        if self.word.read is None:
            text = self.flags[0]
        elif self.word.positional:
            text = self.name.upper().removesuffix("S") + "…" if self.many else self.name.upper()
        else:
            # The short flag is the one that people write.
            value = self.word.value or self.word.example
            text = f"{self.flags[-1]} {value}" + ("…" if self.many else "")
        return text if self.required else f"[{text}]"


@lru_cache(maxsize=256)
def parameters(operation: AnyOperation) -> tuple[Parameter, ...]:
    """Return an operation's parameters in the order of its arguments' fields; what destroys takes a reason too."""
    fields: dict[str, FieldInfo] = dict(operation.arguments.model_fields)
    if operation.risk is Risk.DESTROY:
        fields |= Stated.model_fields
    return tuple(_parameter(name, field) for name, field in fields.items())


@lru_cache(maxsize=256)
def manners(operation: AnyOperation) -> tuple[Parameter, ...]:
    """Return the words that an operation takes beside its own, which are the road's: `--repeat`, `--dry-run`."""
    own = {one.name for one in parameters(operation)}
    names = {Risk.READ: (), Risk.CHANGE: ("repeat",), Risk.DESTROY: ("dry_run", "repeat")}
    return tuple(
        _parameter(name, Manner.model_fields[name])
        for name in names[operation.risk]
        if name not in own
    )


def every_parameter(operation: AnyOperation) -> tuple[Parameter, ...]:
    """Return all that may be written after its name: its own words, and the road's behind them."""
    return (*parameters(operation), *manners(operation))


def _parameter(name: str, field: FieldInfo) -> Parameter:
    words = [item for item in field.metadata if isinstance(item, Word)]
    if len(words) != 1:
        raise TypeError(f"the argument {name} needs exactly one Word")
    return Parameter(
        name=name,
        word=words[0],
        many=_is_tuple(field.annotation),
        required=field.is_required(),
        default=None if field.is_required() else field.default,
    )


def _is_tuple(annotation: object) -> bool:
    if isinstance(annotation, types.UnionType):
        return any(_is_tuple(one) for one in annotation.__args__)
    return typing.get_origin(annotation) is tuple


def usage(operation: AnyOperation, name: str = "") -> str:
    """Return the line that says how to write it, such as `stuck [--longer-than 3h]`."""
    words = [name or operation.name, *(parameter.usage for parameter in parameters(operation))]
    return " ".join(words)
