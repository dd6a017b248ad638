"""Things that any number of processes make together, each of them made once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .claim_state import Watch
from .claims import ClaimedError, claim_file
from .held_claims import Claim

_FIRST_POLL, _LAST_POLL = 0.1, 5.0  # seconds between two polls of what others make


class ClaimQueue:
    """Yield things that are missing, each when this process is ready for it and has claimed it.

    Iterating ends when nothing is missing. If others work on all that is missing, it waits, and
    takes over from those that die. As a context manager it releases its claims at the end.

    Args:
        missing: Function that returns the numbers of the missing things, in the order in which
            they are to be made.
        path_of: Function that returns the path of a thing's file or folder.
        prepare: Function that is called with the number of a thing once it is claimed.
        wait: Function that is called with the claims of others at each poll while it waits.
    """

    def __init__(
        self,
        missing: Callable[[], Sequence[int]],
        path_of: Callable[[int], Path],
        prepare: Callable[[int], object] = lambda number: None,
        wait: Callable[[Sequence[ClaimedError]], object] = lambda claims: None,
    ):
        self._missing, self._path_of = missing, path_of
        self._prepare, self._wait = prepare, wait
        self._claims: dict[int, Claim] = {}
        self._watch = Watch()  # over all polls, since only silence for minutes shows a death

    def __enter__(self) -> ClaimQueue:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._claims:
            self._claims.popitem()[1].release()

    def __iter__(self) -> Iterator[int]:
        poll = _FIRST_POLL
        while missing := self._missing():
            others: list[ClaimedError] = []
            number = self._claim(missing, others)
            if number is not None:
                poll = _FIRST_POLL
                yield number
            else:
                if others:
                    self._wait(others)
                time.sleep(poll)
                poll = min(2 * poll, _LAST_POLL)

    def finish(self, number: int, make: Callable[[], Any]) -> bool:
        """Make the file of a claimed thing, and release the claim.

        Args:
            number: Number of the thing.
            make: Function that makes the file whole or not at all.

        Returns:
            Whether it was made. It is not if another process has taken the thing over, or has
            made it, while this one was stopped for minutes.
        """
        claim = self._claims.pop(number)
        try:
            if not claim.is_valid() or self._is_made(number):
                return False
            make()
        except OSError:
            # whoever took it over deletes what was half-written
            if claim.is_valid():
                raise
            return False
        finally:
            claim.release()
        return True

    def _claim(self, missing: Sequence[int], others: list[ClaimedError]) -> int | None:
        """Claim the first thing that is free; None, with the claims of others, if none is."""
        for number in missing:
            try:
                claim = claim_file(self._path_of(number), self._watch)
            except ClaimedError as error:
                others.append(error)
                continue
            # the list of what is missing may be older than the claim
            if self._is_made(number):
                claim.release()
                continue
            self._claims[number] = claim
            self._prepare(number)
            return number
        return None

    def _is_made(self, number: int) -> bool:
        return os.path.exists(self._path_of(number))
