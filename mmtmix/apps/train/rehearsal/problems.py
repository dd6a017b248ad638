"""Problems that a rehearsal finds, and errors of stand-ins that are ignored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mmtmix.utils import describe_error


class UnknownError(AttributeError):
    """Error of a stand-in without an attribute of the real object; it is ignored."""


@dataclass(frozen=True)
class Problem:
    """A fault that would end a run.

    Attributes:
        config: Path of the run's config.
        field: Place in the config, such as ``default_hooks.logger``.
        error: Error that building it raised.
    """

    config: str
    field: str
    error: Exception

    def __str__(self) -> str:
        text = ' '.join(describe_error(self.error).split())
        if not isinstance(self.error, (ValueError, TypeError, KeyError, OSError, ImportError)):
            text = f'{type(self.error).__name__}: {text}'
        return f'{self.config}: {self.field}: {text}'


@dataclass
class Problems:
    """Collects the problems of one config.

    Attributes:
        config: Path of the config.
        found: Problems found so far.
    """

    config: str
    found: list[Problem] = field(default_factory=list)

    def add(self, field: str, error: Exception) -> None:
        """Add the first problem of a field, unless a stand-in caused it.

        A second problem of the same field mostly follows from the first. An error that an outer
        field repeats is listed under the inner field only.

        Args:
            field: Place in the config.
            error: Error that building it raised.
        """
        if _follows_from_stand_in(error) or any(each.field == field for each in self.found):
            return
        outer = (each for each in self.found if field.startswith(f'{each.field}.'))
        for repeated in [each for each in outer if str(each.error) == str(error)]:
            self.found.remove(repeated)
        self.found.append(Problem(self.config, field, error))

    @contextmanager
    def of(self, field: str) -> Iterator[None]:
        """Collect an error of the body, under the name of a field of the config.

        Args:
            field: Place in the config.
        """
        try:
            yield
        except Exception as error:  # a constructor may raise anything
            self.add(field, error)


def raise_problems(problems: list[Problem]) -> None:
    """Raise all problems as one error with a line for each, of their type if they share one.

    Args:
        problems: Problems of all runs.

    Raises:
        Exception: If there is a problem.
    """
    if not problems:
        return
    kinds = {type(problem.error) for problem in problems}
    kind = kinds.pop() if len(kinds) == 1 else ValueError
    if kind not in (FileNotFoundError, IsADirectoryError, ImportError, TypeError, ValueError):
        kind = ValueError
    raise kind('\n'.join(map(str, problems))) from problems[0].error


def _follows_from_stand_in(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, UnknownError):
            return True
        error = error.__cause__ or error.__context__
    return False
