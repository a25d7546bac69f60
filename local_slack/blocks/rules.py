"""A small language for Slack's rules about JSON: each rule looks at a value and notes what is wrong, and where.

The sentences and pointers follow those that the Web API gives in `response_metadata.messages`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Findings = list[str]
Rule = Callable[[Any, str, Findings], None]


def note(findings: Findings, sentence: str, at: str) -> None:
    """Add a finding, with a JSON pointer to its place."""
    findings.append(f"{sentence} [json-pointer:{at}]")


def string(longest: int | None = None, shortest: int = 0, pattern: str | None = None) -> Rule:
    """A string of so many characters."""

    def look(value: Any, at: str, findings: Findings) -> None:
        if not isinstance(value, str):
            note(findings, "must provide a string", at)
        elif len(value) < shortest:
            note(findings, f"must be more than {shortest - 1} characters", at)
        elif longest is not None and len(value) > longest:
            note(findings, f"must be less than {longest + 1} characters", at)
        elif pattern and not re.fullmatch(pattern, value):
            note(findings, f"failed to match the pattern {pattern}", at)

    return look


def number(
    low: float | None = None,
    high: float | None = None,
    *,
    whole: bool = False,
    above: float | None = None,
) -> Rule:
    """A number within bounds, both included; `above` is a bound that is not."""

    def look(value: Any, at: str, findings: Findings) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            note(findings, f"must provide {'an integer' if whole else 'a number'}", at)
        elif low is not None and value < low:
            note(findings, f"must be at least {low}", at)
        elif high is not None and value > high:
            note(findings, f"must be at most {high}", at)
        elif above is not None and value <= above:
            note(findings, f"must be more than {above}", at)

    return look


def boolean(value: Any, at: str, findings: Findings) -> None:
    """True or false."""
    if not isinstance(value, bool):
        note(findings, "must provide a boolean", at)


def anything(value: Any, at: str, findings: Findings) -> None:
    """No rule."""


def one_of(*allowed: str) -> Rule:
    """One of these words."""

    def look(value: Any, at: str, findings: Findings) -> None:
        if value not in allowed:
            note(findings, f"must be one of: {', '.join(allowed)}", at)

    return look


def array(item: Rule, least: int = 0, most: int | None = None) -> Rule:
    """A list of so many items."""

    def look(value: Any, at: str, findings: Findings) -> None:
        if not isinstance(value, list):
            note(findings, "must provide an array", at)
            return
        if len(value) < least:
            note(findings, f"must contain at least {least} items", at)
        if most is not None and len(value) > most:
            note(findings, f"no more than {most} items allowed", at)
        for number_, inner in enumerate(value):
            item(inner, f"{at}/{number_}", findings)

    return look


def obj(
    required: Mapping[str, Rule],
    optional: Mapping[str, Rule] | None = None,
    *,
    any_of: tuple[str, ...] = (),
) -> Rule:
    """An object with these properties and no other; `any_of` names properties of which one must be there."""
    optional = optional or {}

    def look(value: Any, at: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            note(findings, "must provide an object", at)
            return
        for name in required:
            if name not in value:
                note(findings, f"missing required field: {name}", at)
        if any_of and not any(name in value for name in any_of):
            note(findings, f"missing required field: {' or '.join(any_of)}", at)
        for name, inner in value.items():
            rule = required.get(name) or optional.get(name)
            if rule is None:
                note(findings, f"invalid additional property: {name}", at)
            else:
                rule(inner, f"{at}/{name}", findings)

    return look


def by_type(rules: Mapping[str, Rule]) -> Rule:
    """An object whose `type` chooses the rule."""

    def look(value: Any, at: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            note(findings, "must provide an object", at)
        elif "type" not in value:
            note(findings, "missing required field: type", at)
        elif not isinstance(value["type"], str) or value["type"] not in rules:
            note(findings, f"unsupported type: {value['type']}", f"{at}/type")
        else:
            rules[value["type"]](value, at, findings)

    return look


def also(*rules: Rule) -> Rule:
    """All of these; a later one looks only when the earlier found nothing new, so it may trust the shape."""

    def look(value: Any, at: str, findings: Findings) -> None:
        before = len(findings)
        for rule in rules:
            if len(findings) == before:
                rule(value, at, findings)

    return look
