"""Block elements: what each may hold (docs.slack.dev/reference/block-kit/block-elements)."""

from local_slack.blocks.rich import RICH_TEXT
from local_slack.blocks.rules import (
    Rule,
    anything,
    array,
    boolean,
    by_type,
    number,
    obj,
    one_of,
    string,
)
from local_slack.blocks.texts import (
    ACTION_ID,
    CONFIRM,
    DISPATCH,
    FILTER,
    IMAGE_ELEMENT,
    TYPE,
    choosing,
    option,
    plain,
    text,
)

_COMMON = {**ACTION_ID, "confirm": CONFIRM, "focus_on_load": boolean}
_PLACEHOLDER = {"placeholder": plain(150)}
_OPTIONS = array(option(), 1, 100)
_GROUPS = array(obj({"label": plain(75), "options": _OPTIONS}), 1, 100)
_TICKS = array(option(text(75)), 1, 10)
_MANY = {"max_selected_items": number(1, whole=True)}
_DATE = string(pattern=r"\d{4}-\d{2}-\d{2}")
_TIME = string(pattern=r"\d{2}:\d{2}")
_LONG = {"min_length": number(0, 3000, whole=True), "max_length": number(1, 3000, whole=True)}


def _select(first: str, rule: Rule, **more: Rule) -> Rule:
    return obj(TYPE, {**_COMMON, **_PLACEHOLDER, first: rule, **more})


def _typed(*, long: bool = False, **more: Rule) -> Rule:
    lengths = _LONG if long else {}
    shape = {
        **_COMMON,
        **_PLACEHOLDER,
        **lengths,
        "initial_value": string(),
        "dispatch_action_config": DISPATCH,
    }
    return obj(TYPE, {**shape, **more})


_ids = array(string())
_query = {"min_query_length": number(0, whole=True)}

BUTTON = obj(
    {**TYPE, "text": plain(75)},
    {
        **_COMMON,
        "value": string(2000),
        "url": string(3000),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
    },
)
_STATIC = choosing(
    obj(
        TYPE,
        {
            **_COMMON,
            **_PLACEHOLDER,
            "options": _OPTIONS,
            "option_groups": _GROUPS,
            "initial_option": option(),
        },
    )
)
_MULTI_STATIC = choosing(
    obj(
        TYPE,
        {
            **_COMMON,
            **_PLACEHOLDER,
            **_MANY,
            "options": _OPTIONS,
            "option_groups": _GROUPS,
            "initial_options": array(option()),
        },
    )
)

ELEMENTS: dict[str, Rule] = {
    "button": BUTTON,
    "image": IMAGE_ELEMENT,
    "workflow_button": obj(
        {**TYPE, "text": plain(75), "workflow": anything},
        {**_COMMON, "style": one_of("primary", "danger")},
    ),
    "static_select": _STATIC,
    "multi_static_select": _MULTI_STATIC,
    "external_select": _select("initial_option", option(), **_query),
    "multi_external_select": _select("initial_options", array(option()), **_query, **_MANY),
    "users_select": _select("initial_user", string()),
    "multi_users_select": _select("initial_users", _ids, **_MANY),
    "conversations_select": _select(
        "initial_conversation",
        string(),
        default_to_current_conversation=boolean,
        filter=FILTER,
        response_url_enabled=boolean,
    ),
    "multi_conversations_select": _select(
        "initial_conversations",
        _ids,
        default_to_current_conversation=boolean,
        filter=FILTER,
        **_MANY,
    ),
    "channels_select": _select("initial_channel", string(), response_url_enabled=boolean),
    "multi_channels_select": _select("initial_channels", _ids, **_MANY),
    "overflow": choosing(obj({**TYPE, "options": array(option(), 1, 5)}, _COMMON)),
    "checkboxes": choosing(
        obj({**TYPE, "options": _TICKS}, {**_COMMON, "initial_options": array(option(text(75)))})
    ),
    "radio_buttons": choosing(
        obj({**TYPE, "options": _TICKS}, {**_COMMON, "initial_option": option(text(75))})
    ),
    "datepicker": _select("initial_date", _DATE),
    "timepicker": _select("initial_time", _TIME, timezone=string()),
    "datetimepicker": obj(
        TYPE, {**_COMMON, "initial_date_time": number(10**9, 10**10 - 1, whole=True)}
    ),
    "plain_text_input": _typed(long=True, multiline=boolean),
    "email_text_input": _typed(),
    "url_text_input": _typed(),
    "number_input": obj(
        {**TYPE, "is_decimal_allowed": boolean},
        {
            **_COMMON,
            **_PLACEHOLDER,
            "initial_value": string(),
            "min_value": string(),
            "max_value": string(),
            "dispatch_action_config": DISPATCH,
        },
    ),
    "rich_text_input": obj(
        TYPE,
        {**_COMMON, **_PLACEHOLDER, "initial_value": RICH_TEXT, "dispatch_action_config": DISPATCH},
    ),
    "file_input": obj(
        TYPE, {**ACTION_ID, "filetypes": array(string()), "max_files": number(1, 10, whole=True)}
    ),
    "feedback_buttons": obj(
        {**TYPE, "positive_button": anything, "negative_button": anything}, ACTION_ID
    ),
    "icon_button": obj(
        {**TYPE, "icon": string(), "text": plain(75)},
        {
            **ACTION_ID,
            "value": string(2000),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
            "visible_to_user_ids": _ids,
        },
    ),
}
_SELECTS = (
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
)
_MULTIS = tuple(f"multi_{name}" for name in _SELECTS)
_CHOOSERS = ("checkboxes", "datepicker", "radio_buttons", "timepicker", *_SELECTS)
_INPUTS = (
    "plain_text_input",
    "email_text_input",
    "url_text_input",
    "number_input",
    "rich_text_input",
    "file_input",
    "datetimepicker",
)


def _among(*names: str) -> Rule:
    return by_type({name: ELEMENTS[name] for name in names})


# Which element may stand in which block ("works with block types" of each element's page).
IN_ACTIONS = _among("button", "workflow_button", "overflow", "datetimepicker", *_CHOOSERS)
AS_ACCESSORY = _among("button", "workflow_button", "image", "overflow", *_CHOOSERS, *_MULTIS)
IN_INPUT = _among(*_CHOOSERS, *_MULTIS, *_INPUTS)
IN_CONTEXT_ACTIONS = _among("feedback_buttons", "icon_button")
