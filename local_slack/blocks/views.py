"""The frame of a modal or Home tab (docs.slack.dev/reference/views)."""

import json
from collections.abc import Collection
from typing import Any

from local_slack.blocks.check import check_blocks
from local_slack.blocks.rules import Findings, anything, boolean, note, obj, one_of, string
from local_slack.blocks.texts import plain
from local_slack.errors import Refusal, invalid
from local_slack.shapes import Json

_LARGEST = 250_000
_COMMON = {"private_metadata": string(3000), "callback_id": string(255), "external_id": string(255)}
_MODAL = obj(
    {"type": one_of("modal"), "title": plain(24), "blocks": anything},
    {
        **_COMMON,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_HOME = obj({"type": one_of("home"), "blocks": anything}, _COMMON)


def check_view(view: Any, kind: str, unknown: Collection[str] = ()) -> Json:
    """Return the view if Slack would take it as a `modal` or `home`; else refuse with what is wrong."""
    if not isinstance(view, dict):
        raise invalid("invalid_arguments", ["must provide an object [json-pointer:/view]"])
    if len(json.dumps(view)) > _LARGEST:
        raise Refusal("view_too_large")
    findings: Findings = []
    (_MODAL if kind == "modal" else _HOME)(view, "/view", findings)
    if not findings:
        _check_blocks(view, kind, unknown, findings)
    if findings:
        raise invalid("invalid_arguments", findings)
    return view


def _check_blocks(view: Json, kind: str, unknown: Collection[str], findings: Findings) -> None:
    try:
        blocks = check_blocks(view["blocks"], kind, unknown)
    except Refusal as refused:
        found = [
            str(message).replace("json-pointer:", "json-pointer:/view")
            for message in refused.details["errors"]
        ]
        findings.extend(found)
        return
    inputs = any(block["type"] == "input" for block in blocks)
    if kind == "modal" and inputs and "submit" not in view:
        note(findings, "submit is required when an input block is within the blocks array", "/view")
