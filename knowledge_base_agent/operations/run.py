"""`run`: ask the agent to build the knowledge base from a source."""

from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.report import Action, Fact, Facts, Report
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


class RunArguments(Arguments):
    """What to build from."""

    source: Annotated[
        str,
        Word(
            read=free_text,
            help="a folder, a file, a bookmarks export, a list of URLs, or one URL; as the workers see it",
            example="docs",
            positional=True,
        ),
    ]


def _answer(deployment: "Deployment", arguments: RunArguments, progress: Progress) -> Report:
    from knowledge_base_agent.agent.starting import start  # heavy, and needed by this word alone

    started = start(deployment.app, deployment.settings, arguments.source)
    documents = counted(started.documents, "document")
    return Report(
        title="Sent to the agent",
        text=f"Sent: {documents} from {started.source}. A worker takes it when one is free.",
        parts=(
            Facts(
                items=(
                    Fact(label="Task", value=started.task_id),
                    Fact(label="Source", value=started.source),
                    Fact(label="Documents", value=started.documents),
                )
            ),
        ),
        actions=(
            Action(label="Active", words="active"),
            Action(label="Logs", words=f"logs {started.task_id}"),
        ),
        data={"task_id": started.task_id},
    )


RUN = Operation[RunArguments, Target](
    name="run",
    summary="Builds the knowledge base from a source.",
    risk=Risk.CHANGE,
    arguments=RunArguments,
    answer=_answer,
)
