"""auth.*, users.*, usergroups.*, team.*, bots.*, apps.*: who is who."""

from local_slack.errors import Refusal
from local_slack.shapes import Json
from local_slack.web.call import Call, Spec
from local_slack.workspace import UserGroup


def auth_test(call: Call) -> Json:
    """auth.test."""
    workspace, manifest = call.slack.workspace, call.slack.manifest
    return {
        "url": f"{call.slack.base_url}/",
        "team": workspace.team_name,
        "user": manifest.bot_name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def api_test(call: Call) -> Json:
    """api.test: says back what it was told."""
    if call.text("error"):
        raise Refusal(call.text("error"), args=call.arguments)
    return {"args": call.arguments}


def open_connection(call: Call) -> Json:
    """apps.connections.open: a WebSocket address with a ticket."""
    slack = call.slack
    if not slack.manifest.socket_mode:
        raise Refusal("socket_mode_disabled")
    url = slack.base_url.replace("http", "ws", 1)
    return {
        "url": f"{url}/link/?ticket={slack.courier.sockets.ticket()}&app_id={slack.workspace.app_id}"
    }


def user_info(call: Call) -> Json:
    """users.info."""
    person = call.slack.people.get(call.need("user"))
    if person is None:
        raise Refusal("user_not_found")
    return {"user": person.as_json()}


def user_list(call: Call) -> Json:
    """users.list: the workspace's own people; strangers are not among them."""
    own = [person for person in call.slack.people.values() if not person.is_stranger]
    members, metadata = call.page(own)
    return {"members": [person.as_json() for person in members], "response_metadata": metadata}


def group_list(call: Call) -> Json:
    """usergroups.list."""
    workspace = call.slack.workspace

    def shown(group: UserGroup) -> Json:
        listed: Json = {
            "id": group.id,
            "team_id": workspace.team_id,
            "is_usergroup": True,
            "name": group.name,
            "handle": group.handle,
            "date_delete": 0,
        }
        if call.flag("include_users"):
            listed["users"] = list(group.users)
        if call.flag("include_count"):
            listed["user_count"] = len(group.users)
        return listed

    return {"usergroups": [shown(group) for group in call.slack.groups.values()]}


def group_users(call: Call) -> Json:
    """usergroups.users.list."""
    group = call.slack.groups.get(call.need("usergroup"))
    if group is None:
        raise Refusal("no_such_subteam")
    return {"users": list(group.users)}


def team_info(call: Call) -> Json:
    """team.info."""
    workspace = call.slack.workspace
    return {
        "team": {
            "id": workspace.team_id,
            "name": workspace.team_name,
            "domain": workspace.team_domain,
        }
    }


def bot_info(call: Call) -> Json:
    """bots.info."""
    workspace = call.slack.workspace
    if call.text("bot") not in ("", workspace.bot_id):
        raise Refusal("bot_not_found")
    return {
        "bot": {
            "id": workspace.bot_id,
            "deleted": False,
            "name": call.slack.manifest.bot_name,
            "app_id": workspace.app_id,
            "user_id": workspace.bot_user_id,
        }
    }


METHODS = {
    "api.test": Spec(run=api_test, caller="anyone"),
    "auth.test": Spec(run=auth_test),
    "apps.connections.open": Spec(run=open_connection, caller="app"),
    "users.info": Spec(run=user_info, scope="users:read", accepts_json=False),
    "users.list": Spec(run=user_list, scope="users:read", accepts_json=False),
    "usergroups.list": Spec(run=group_list, scope="usergroups:read", accepts_json=False),
    "usergroups.users.list": Spec(run=group_users, scope="usergroups:read", accepts_json=False),
    "team.info": Spec(run=team_info, scope="team:read", accepts_json=False),
    "bots.info": Spec(run=bot_info, scope="users:read", accepts_json=False),
}
