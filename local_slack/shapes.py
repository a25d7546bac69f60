"""Reading untyped YAML strictly: a wrong or unknown key is a sentence, not a surprise later."""

from typing import Any, TypeVar

from local_slack.errors import BadSetup

Json = dict[str, Any]
T = TypeVar("T")


def mapping(value: Any, where: str, known: set[str]) -> Json:
    """Return `value` as a mapping whose keys are all `known`; None counts as empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadSetup(f"{where}: a mapping was expected, not {value!r}")
    unknown = sorted(set(value) - known)
    if unknown:
        raise BadSetup(
            f"{where}: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )
    return value


def field(source: Json, key: str, kind: type[T], where: str, default: T | None = None) -> T:
    """Return `source[key]` of that kind, or `default`; without a default the key is required."""
    value = source.get(key, default)
    if value is None:
        raise BadSetup(f"{where}: {key} is missing")
    if not isinstance(value, kind):
        raise BadSetup(f"{where}: {key} must be of type {kind.__name__}, not {value!r}")
    return value


def strings(source: Json, key: str, where: str) -> tuple[str, ...]:
    """Return a list of strings; empty when the key is absent."""
    values = field(source, key, list, where, [])
    if not all(isinstance(value, str) for value in values):
        raise BadSetup(f"{where}: {key} must be a list of strings")
    if len(set(values)) != len(values):
        raise BadSetup(f"{where}: {key} names something twice")
    return tuple(values)
