"""A report as JSON, for scripts: raw values, times in ISO 8601 UTC, durations in seconds, unknown as null."""

from datetime import datetime, timedelta

from knowledge_base_agent.report import (
    Chart,
    Facts,
    Note,
    Part,
    Passages,
    Preformatted,
    Report,
    Table,
    Value,
)

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


def as_json(report: Report) -> dict[str, object]:
    """Return the report as values of JSON's types."""
    return {
        "title": report.title,
        "text": report.text,
        "succeeded": report.succeeded,
        "taken_at": raw(report.taken_at),
        "parts": [_part(part) for part in report.parts],
        "data": dict(report.data),
    }


def raw(value: Value) -> Json:
    """Return a value without wording."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value


def _part(part: Part) -> dict[str, object]:
    if isinstance(part, Facts):
        return {"facts": {fact.label: raw(fact.value) for fact in part.items}, "title": part.title}
    if isinstance(part, Table):
        keys = [column.key for column in part.columns]
        rows = [dict(zip(keys, map(raw, row.cells), strict=True)) for row in part.rows]
        return {"table": part.caption, "rows": rows, "total": part.total}
    if isinstance(part, Chart):
        series = {name: list(numbers) for name, numbers in part.series.items()}
        return {"chart": part.title, "categories": list(part.categories), "series": series}
    if isinstance(part, Note):
        return {"note": part.text, "tone": part.tone.value}
    if isinstance(part, Preformatted):
        return {"text": part.text, "title": part.title}
    if isinstance(part, Passages):
        found = [{"title": one.title, "text": one.text, "source": one.source} for one in part.items]
        return {"passages": found}
    raise TypeError(part)
