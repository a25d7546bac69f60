"""Rich text (docs.slack.dev/reference/block-kit/blocks/rich-text-block)."""

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
from local_slack.blocks.texts import BLOCK_ID, TYPE

_STYLE = {
    "style": obj(
        {},
        dict.fromkeys(
            (
                "bold",
                "italic",
                "strike",
                "code",
                "underline",
                "highlight",
                "unlink",
                "client_highlight",
            ),
            boolean,
        ),
    )
}
_INLINE = by_type(
    {
        "text": obj({**TYPE, "text": string(shortest=1)}, _STYLE),
        "link": obj(
            {**TYPE, "url": string(shortest=1)}, {**_STYLE, "text": string(), "unsafe": boolean}
        ),
        "emoji": obj({**TYPE, "name": string(shortest=1)}, {"unicode": string(), **_STYLE}),
        "user": obj({**TYPE, "user_id": string(shortest=1)}, _STYLE),
        "usergroup": obj({**TYPE, "usergroup_id": string(shortest=1)}, _STYLE),
        "channel": obj({**TYPE, "channel_id": string(shortest=1)}, _STYLE),
        "broadcast": obj({**TYPE, "range": one_of("here", "channel", "everyone")}, _STYLE),
        "color": obj({**TYPE, "value": string(shortest=1)}),
        "date": obj(
            {**TYPE, "timestamp": number(whole=True), "format": string(shortest=1)},
            {"url": string(), "fallback": string(), **_STYLE},
        ),
    }
)
_SECTION = obj({**TYPE, "elements": array(_INLINE)})
_BORDER = {"border": number(0, 1, whole=True)}


def _list() -> Rule:
    return obj(
        {
            **TYPE,
            "style": one_of("bullet", "ordered"),
            "elements": array(by_type({"rich_text_section": _SECTION})),
        },
        {"indent": number(0, 8, whole=True), "offset": number(0, whole=True), **_BORDER},
    )


RICH_TEXT = by_type(
    {
        "rich_text": obj(
            {
                **TYPE,
                "elements": array(
                    by_type(
                        {
                            "rich_text_section": _SECTION,
                            "rich_text_list": _list(),
                            "rich_text_preformatted": obj(
                                {**TYPE, "elements": array(_INLINE)},
                                {**_BORDER, "language": anything},
                            ),
                            "rich_text_quote": obj({**TYPE, "elements": array(_INLINE)}, _BORDER),
                        }
                    )
                ),
            },
            BLOCK_ID,
        )
    }
)
