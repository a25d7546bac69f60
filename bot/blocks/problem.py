"""What went wrong, as a message: what is the matter, what to do next, and what was probably meant, one click away."""

from functools import lru_cache

from slackblocks import RichTextBlock, SectionBlock
from slackblocks.blocks import Block

from bot.blocks.buttons import action_rows
from bot.blocks.drawn import Drawn, rendered
from bot.blocks.text import escaped, literal, plain_lines, sentence
from knowledge_base_agent.problems import Misunderstood, Problem, Refused
from knowledge_base_agent.report import Action


def problem_message(problem: Problem) -> Drawn:
    """Draw a problem for the person who met it."""
    icon = "⛔" if isinstance(problem, Refused) else "⚠️"
    suggestion = problem.suggestion if isinstance(problem, Misunderstood) else ""
    actions = (Action(label=f"/kb {suggestion}", words=suggestion),) if suggestion else ()
    return _drawn(f"{problem.what} {problem.cure}", icon, actions)


def unexpected_message(reference: str) -> Drawn:
    """Draw an error that is the bot's own. The reference finds its traceback in the log."""
    return _drawn(
        "That was an error of the bot's own, and it is in its log. Try again; if it stays, give the people who run "
        f"the bot this reference: `{reference}`.",
        "💥",
        (),
    )


def note_message(text: str) -> Drawn:
    """Draw a sentence of the bot's own."""
    return _drawn(text, "", ())


@lru_cache(maxsize=100)  # of an outage, everybody is told the same
def _drawn(text: str, icon: str, actions: tuple[Action, ...]) -> Drawn:
    said = literal(f"{icon} {text}", 2000)
    rows: list[Block] = list(action_rows(actions))
    return Drawn(
        text=escaped(said),
        blocks=rendered([RichTextBlock(sentence(text, icon=icon)), *rows]),
        draw_plain=lambda: rendered([SectionBlock(plain_lines(said)), *rows]),
    )
