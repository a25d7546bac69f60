"""The pages that list things: derived from the operations and the settings, so that they can't go stale.

`python -m knowledge_base_agent.cli.pages` writes them; a test fails when they differ.
"""

from pathlib import Path

from pydantic.fields import FieldInfo

from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.describing import every_parameter, usage
from knowledge_base_agent.operations.operation import AnyOperation, Risk
from knowledge_base_agent.secret_settings import file_names
from knowledge_base_agent.settings import Settings

WHO = {
    Risk.READ: "viewers",
    Risk.CHANGE: "operators; recorded before and after",
    Risk.DESTROY: "operators, after a preview and a confirmation, which for the top risk is another person's "
    "([two people](two-people.md)); recorded before and after",
}

WHO_MAY = (
    "- **Viewers** may look: every full member of the workspace, unless `KB_VIEWERS` says who.",
    "- **Operators** (`KB_OPERATORS`) may change things, recorded before and after, and confirm what destroys.",
    "- **Two people** are needed for the top risk: one asks and says why, and an admin (`KB_ADMINS`) who is somebody",
    "  else approves. [Two people](two-people.md) says what that is, and what somebody alone can do.",
    "- Nobody may change anything until named, and guests, bots and people of other workspaces may not even look.",
    "- In the shell whoever has the machine may do it all; the top risk wants a reason there.",
)


def operations_page() -> str:
    """Return `docs/operations.md`."""
    head = [
        "# Operations",
        "",
        "What can be asked, in Slack and in the shell alike. This page is generated from the operations themselves.",
        "",
        *WHO_MAY,
        "",
        "| In Slack | In the shell | What it does |",
        "|---|---|---|",
    ]
    table = [
        f"| `/kb {one.name}` | `celery_monitor.py {one.shell_name}` | {one.summary} |"
        for one in OPERATIONS
    ]
    sections = [line for one in OPERATIONS for line in _section(one)]
    return "\n".join([*head, *table, "", *sections])


def _section(operation: AnyOperation) -> list[str]:
    shell = f"python celery_monitor.py {usage(operation, operation.shell_name)}"
    lines = [f"## {operation.name}", "", operation.summary, "", "```"]
    lines += [f"/kb {usage(operation)}", shell, "```", "", f"For {WHO[operation.risk]}.", ""]
    found = every_parameter(operation)
    if found:
        lines += ["| Word | Meaning | Example | Without it |", "|---|---|---|---|"]
    for one in found:
        default = "must be given" if one.required else _default(one.default)
        example = one.example if one.word.read else one.shown
        lines.append(f"| `{one.shown}` | {one.word.help} | `{example}` | {default} |")
    return [*lines, *([""] if found else [])]


def _default(value: object) -> str:
    from datetime import timedelta

    from knowledge_base_agent.wording import duration

    if isinstance(value, timedelta):
        return duration(value)
    if value is None or value is False or value == ():
        return "–"
    return str(value)


def settings_page() -> str:
    """Return `docs/settings.md`."""
    head = [
        "# Settings",
        "",
        "Read from the environment, by `knowledge_base_agent/settings.py` alone. This page is generated from it.",
        "",
        "What may hold a secret can be given in a file instead, as orchestrators mount secrets. Set one of the two;",
        "an empty or unreadable file stops the start.",
        "",
        "| Variable | Without it | Meaning |",
        "|---|---|---|",
    ]
    fields: dict[str, FieldInfo] = Settings.model_fields
    return "\n".join([*head, *(_setting(field) for field in fields.values()), ""])


def _setting(field: FieldInfo) -> str:
    name = str(getattr(field.validation_alias, "choices", [""])[-1])
    default = "–" if field.default in (None, ()) else f"`{field.default}`"
    files = "".join(f"; or in a file, `{one}`" for one in file_names(field)[-1:])
    return f"| `{name}` | {default} | {field.description}{files} |"


def overview_page() -> str:
    """Return what `celery_monitor.py --help` prints."""
    width = max(len(operation.shell_name) for operation in OPERATIONS)
    return "\n".join(
        [
            "usage: python celery_monitor.py OPERATION [WORDS] [--json] [--yes]",
            "",
            "See and mend a Celery deployment; the same as /kb in Slack.",
            "",
            *(f"  {one.shell_name:<{width}}  {one.summary}" for one in OPERATIONS),
            "",
            "--json prints values for scripts; --yes confirms what destroys (for cron); --dry-run only shows it.",
            "OPERATION --help explains one.",
            "",
        ]
    )


PAGES = {
    "docs/operations.md": operations_page,
    "docs/settings.md": settings_page,
    "knowledge_base_agent/cli/overview.txt": overview_page,
}


def write_pages(root: Path) -> None:
    """Write every generated page below `root`, the project's folder."""
    for name, page in PAGES.items():
        (root / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(__file__).parents[2])
