"""Log of the progress of a generation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

from mmengine.logging import MMLogger

from mmtmix.utils import allocator_note
from mmtmix.utils.claims import ClaimedError

from .folder import SetFolder


class Progress:
    """Log one line per shard: the images that all processes have made, the rate and the time left.

    Args:
        folder: Folder of the set.
        is_shown: Whether this process logs the progress; if not, only what happens to itself.
    """

    def __init__(self, folder: SetFolder, is_shown: bool = True):
        self.folder = folder
        self.is_shown = is_shown
        self.logger = MMLogger.get_current_instance()
        self.total = sum(folder.sizes)
        self.before = self.shown = self._made()
        self._is_told = False
        if allocator_note() and is_shown:
            self.logger.info(allocator_note())
        self.start = time.monotonic()
        if is_shown:
            self.logger.info(f'{self.before} of {self.total} mixed images are in {folder.path}')

    def update(self) -> None:
        """Log the number of images made so far."""
        if not self.is_shown:
            return
        done, seconds = self._made(), time.monotonic() - self.start
        rate = (done - self.before) / max(seconds, 1e-9)
        eta = timedelta(seconds=round((self.total - done) / max(rate, 1e-9)))
        self.shown = done
        self.logger.info(f'{done} of {self.total} mixed images, {rate:.1f} images/s, eta {eta}')

    def wait(self, others: Sequence[ClaimedError]) -> None:
        """Log that others make all that is missing, and later what they have made.

        Args:
            others: Claims of the others.
        """
        if not self._is_told:
            more = f' and {len(others) - 1} more' if len(others) > 1 else ''
            self.report(
                f'others make the last {len(others)} shards; waiting for {others[0].who}{more}, '
                'and for their shards if they die'
            )
            self._is_told = True
        if self._made() != self.shown:
            self.update()

    def lose(self, number: int) -> None:
        """Log that another process has made a shard of this one meanwhile.

        Args:
            number: Number of the shard, >= 0.
        """
        self.logger.warning(
            f'{self.folder.shard_path(number)}: this process was stopped for so long that another '
            'one took the shard over; its own is not written'
        )

    def report(self, line: str) -> None:
        """Log a line, if this process logs the progress.

        Args:
            line: The line.
        """
        if self.is_shown:
            self.logger.info(line)

    def finish(self) -> None:
        """Log a summary of the set, if it is complete."""
        if not self.is_shown or not self.folder.is_complete:
            return
        found = self.folder.statistics()
        yielded = 100 * found.finished / max(found.drawn, 1)
        steps = found.iterations / max(found.drawn, 1)
        self.logger.info(
            f'{self.folder.path} is complete: {self.total} images of {found.drawn} mixes, '
            f'{yielded:.1f} % of them finished, {steps:.1f} iterations per mix'
        )
        if found.averages:
            share = 100 * found.averages / found.finished
            self.logger.info(
                f'{share:.1f} % of the finished mixes are plain averages of their images: they '
                'were finished before the first step. min_iters=1 takes at least one step, as '
                "SuperMix's public code does"
            )

    def _made(self) -> int:
        return sum(self.folder.sizes[number] for number in self.folder.present())
