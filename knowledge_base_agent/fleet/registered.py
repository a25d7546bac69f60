"""Which tasks the workers know, by their own word: a client's app may not have imported what its workers did."""

from knowledge_base_agent.fleet.broadcast import Broadcaster
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.question import Answers, Question


def ask_registered(broadcaster: Broadcaster, deadline: Deadline) -> Answers:
    """Ask every worker which tasks it knows. Raises `Away` without a broker."""
    return broadcaster.ask(deadline, Question(command="registered"))


def names_told(answers: Answers) -> set[str]:
    """Return the names that any worker told; Celery puts a rate limit behind a name."""
    return {
        str(line).split(" ")[0]
        for reply in answers.replies
        if isinstance(reply.body, list)
        for line in reply.body
    }
