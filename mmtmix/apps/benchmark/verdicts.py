"""Whether the figures of a run meet the goals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .goals import GOALS, Goal
from .report import Report, Row, Section

MET, MISSED, UNKNOWN = 'met', 'missed', 'not measured here'


@dataclass(frozen=True)
class Verdict:
    """Comparison of a goal with a report's figures.

    Attributes:
        goal: The goal.
        figure: Measured quantity; None if there is none.
        verdict: ``'met'``, ``'missed'`` or ``'not measured here'``.
        reason: Why it was not measured or does not count; empty otherwise.
    """

    goal: Goal
    figure: float | None
    verdict: str
    reason: str = ''

    @property
    def is_beyond_margin(self) -> bool:
        """Whether the figure misses the bound by more than the goal's margin."""
        goal = self.goal
        if self.figure is None or not goal.margin:
            return False
        if goal.at_least:
            return self.figure < goal.bound / goal.margin
        return self.figure > goal.bound * goal.margin


def judge(goal: Goal, report: Report) -> Verdict:
    """Compare a goal with the figures of a report.

    Args:
        goal: Goal to judge.
        report: Figures that were measured.
    """
    section = report.sections.get(goal.topic)
    if section is None:
        return Verdict(goal, None, UNKNOWN, f'topic {goal.topic} was not run')
    mismatch = _mismatch(goal, section, report)
    if mismatch:
        return Verdict(goal, None, UNKNOWN, mismatch)
    figure, reason = quantity(goal, section)
    if figure is None:
        return Verdict(goal, None, UNKNOWN, reason)
    met = figure >= goal.bound if goal.at_least else figure <= goal.bound
    return Verdict(goal, figure, MET if met else MISSED)


def quantity(goal: Goal, section: Section) -> tuple[float | None, str]:
    """Return the quantity that a goal bounds, or None and the reason why it is unknown.

    Args:
        goal: Goal with the names of the rows.
        section: Table of the goal's topic.
    """
    found: dict[str, float] = {}
    for name in (goal.top, *goal.bottom):
        value = getattr(section.rows.get(name, Row()), goal.field)
        if value is not None:
            found[name] = value
        elif name == goal.top or not goal.fastest:
            what = f'{goal.field} of the row' if name in section.rows else 'the row'
            return None, section.missing.get(name, f'{what} {name!r} was not measured')
    below = [found[name] for name in goal.bottom if name in found]
    if not goal.bottom:
        images = section.rows[goal.top].images if goal.per_image else 1
        return goal.scale * found[goal.top] / (images or 1), ''
    if not below:
        return None, section.missing.get(goal.bottom[0], 'no rival was measured')
    divisor = min(below) if goal.fastest else sum(below)
    return (found[goal.top] / divisor, '') if divisor else (None, 'the divisor is zero')


def _mismatch(goal: Goal, section: Section, report: Report) -> str:
    """Return in what the setting differs from the goal's; empty if it does not."""
    setting, device = section.setting, report.machine['device']
    if goal.device and goal.device not in device:
        return f'the goal is for an {goal.device}, and this is {device}'
    if goal.teacher and setting['teacher'] != goal.teacher:
        return f'the goal is for the teacher {goal.teacher}, and this is {setting["teacher"]}'
    size = setting['batch_size'], setting['image_size']
    if goal.size and size != goal.size:
        return 'the goal is for {} images of {} pixels, and these are {} of {}'.format(
            *goal.size, *size
        )
    if goal.trained and not setting['trained']:
        return 'it needs a trained teacher: give --config'
    return ''


def judge_all(report: Report, goals: Iterable[Goal] = GOALS) -> list[Verdict]:
    """Compare goals with the figures of a report.

    Args:
        report: Figures that were measured.
        goals: Goals to judge; by default all of this library.
    """
    return [judge(goal, report) for goal in goals]
