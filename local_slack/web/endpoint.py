"""/api/METHOD: who calls, may they, does the call fail on request; then the method itself."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from local_slack.errors import Refusal
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.web import chat, conversations, files, people, views
from local_slack.web.call import Call, Spec
from local_slack.web.failing import suffer, too_many

METHODS: Mapping[str, Spec] = {
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **people.METHODS,
    **views.METHODS,
}


async def answer(slack: Slack, request: web.Request) -> web.StreamResponse:
    """Answer one call; the body is Slack's JSON, with HTTP 200 even for refusals, except 429."""
    method = request.match_info["method"]
    try:
        token, arguments = await _read(request, METHODS.get(method))
    except Refusal as refused:
        return web.json_response(refused.as_json())
    noted = slack.requests.note(method, arguments)
    failure = slack.failures.take(method)
    if failure is not None and failure.how != "drop_after":
        noted["answer"] = {"failed_on_request": failure.how}
        return await suffer(failure, request)
    noted["answer"] = said = await _run(slack, method, token, arguments)
    if failure is not None:
        return await suffer(failure, request)
    return _response(slack, said)


async def _run(slack: Slack, method: str, token: str, arguments: Json) -> Json:
    spec = METHODS.get(method)
    if spec is None:
        return Refusal("unknown_method", req_method=method).as_json()
    call = Call(slack=slack, method=method, arguments=arguments)
    try:
        _check_token(slack, spec, token)
        if spec.scope is not None:
            call.needs_scope(spec.scope)
        outcome = spec.run(call)
        result = await outcome if inspect.isawaitable(outcome) else outcome
    except Refusal as refused:
        return refused.as_json()
    return {"ok": True, **result}


def _check_token(slack: Slack, spec: Spec, token: str) -> None:
    if spec.caller == "anyone":
        return
    if not token:
        raise Refusal("not_authed")
    if token not in (slack.tokens.bot, slack.tokens.app):
        raise Refusal("invalid_auth")
    right = slack.tokens.bot if spec.caller == "bot" else slack.tokens.app
    if token != right:
        raise Refusal("not_allowed_token_type")


async def _read(request: web.Request, spec: Spec | None) -> tuple[str, Json]:
    """The token and the arguments: query, then form or JSON body."""
    arguments: Json = dict(request.query)
    body = await request.read()
    if request.content_type == "application/json":
        if spec is None or spec.accepts_json:
            arguments |= _json(body)
    elif body:
        arguments |= await _form(request)
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    given = str(arguments.pop("token", ""))
    return (token.strip() if scheme.lower() == "bearer" else given), arguments


async def _form(request: web.Request) -> Json:
    if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Refusal("invalid_post_type")
    return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}


def _json(body: bytes) -> Json:
    try:
        loaded: Any = json.loads(body or b"{}")
    except ValueError:
        raise Refusal("invalid_json") from None
    if not isinstance(loaded, dict):
        raise Refusal("json_not_object")
    return loaded


def _response(slack: Slack, said: Json) -> web.Response:
    headers = {"X-OAuth-Scopes": ",".join(slack.manifest.scopes)}
    if said.get("error") == "ratelimited":
        return too_many(int(said.get("retry_after", 1)))
    return web.json_response(said, headers=headers)
