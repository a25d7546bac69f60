"""Why a document could not be read, in words for the person who gave us its source."""

from knowledge_base_agent.problems import Problem


class Unreadable(Problem):
    """A source or a document that cannot be read."""

    temporary = False

    def __init__(self, what: str, cure: str = "") -> None:
        super().__init__(what, cure)


class NotAnswering(Unreadable):
    """A site that may well answer if it is asked again: refused, cut off, timed out, or a 5xx or 429 status."""

    temporary = True
