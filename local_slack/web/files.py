"""files.*: uploads in three steps (docs.slack.dev/messaging/working-with-files)."""

import mimetypes

from aiohttp import web

from local_slack.errors import Refusal
from local_slack.files_store import LARGEST, StoredFile
from local_slack.messages import Channel
from local_slack.posting import post
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.web.call import Call, Spec


def upload_url(call: Call) -> Json:
    """files.getUploadURLExternal: where to send so many bytes."""
    name, length = call.need("filename"), call.need("length")
    if not length.isdigit() or not 0 < int(length) <= LARGEST:
        raise Refusal("file_upload_size_restricted" if length.isdigit() else "invalid_arguments")
    file = call.slack.files.announce(name, int(length))
    return {"upload_url": f"{call.slack.base_url}/upload/v1/{file.key}", "file_id": file.id}


def complete(call: Call) -> Json:
    """files.completeUploadExternal: share what was uploaded, or keep it private."""
    slack = call.slack
    listed = call.structure("files", "invalid_arguments")
    if not isinstance(listed, list) or not listed:
        raise Refusal("invalid_arguments")
    files = [_uploaded(slack, item) for item in listed]
    wanted = call.text("channel_id") or call.text("channels")
    shown = [file.as_json(slack.base_url) for file in files]
    if wanted:
        channel = _target(slack, wanted)
        content = {
            "text": call.text("initial_comment"),
            "files": shown,
            "thread_ts": call.text("thread_ts") or None,
        }
        post(slack, channel, content, author=slack.workspace.bot_user_id)
    return {"files": shown}


def _uploaded(slack: Slack, item: object) -> StoredFile:
    file = slack.files.get(str(item.get("id", ""))) if isinstance(item, dict) else None
    if file is None or file.content is None or file.completed:
        raise Refusal("file_not_found")
    file.completed, file.title = (
        True,
        str(item["title"] or "") if isinstance(item, dict) and "title" in item else "",
    )
    return file


def _target(slack: Slack, wanted: str) -> Channel:
    channel = slack.conversations.get(wanted)
    if channel is None:
        raise Refusal("channel_not_found")
    if slack.workspace.bot_user_id not in channel.members:
        raise Refusal("not_in_channel")
    return channel


async def receive(slack: Slack, request: web.Request) -> web.Response:
    """The upload URL: the bytes as they are, or in a form."""
    file = slack.files.by_key(request.match_info["key"])
    if file is None:
        return web.Response(status=404, text="not found")
    content = await request.read()
    if request.content_type == "multipart/form-data":
        content = await _from_form(request)
    if len(content) != file.length:
        return web.Response(status=400, text="the length differs from what was announced")
    file.content = content
    file.mimetype = mimetypes.guess_type(file.name)[0] or file.mimetype
    return web.Response(text=f"OK - {file.length}")


async def _from_form(request: web.Request) -> bytes:
    for field in (await request.post()).values():
        if isinstance(field, web.FileField):
            return field.file.read()
    return b""


async def download(slack: Slack, request: web.Request) -> web.Response:
    """A file's content, always as an attachment: a page of the bot's making must not run in this origin."""
    file = slack.files.get(request.match_info["id"])
    if file is None or file.content is None:
        return web.Response(status=404, text="not found")
    name = file.name.replace('"', "")
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=file.content, content_type=file.mimetype, headers=headers)


METHODS = {
    "files.getUploadURLExternal": Spec(run=upload_url, scope="files:write", accepts_json=False),
    "files.completeUploadExternal": Spec(run=complete, scope="files:write"),
}
