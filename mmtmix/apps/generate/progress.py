"""Log of the progress of a generation."""

from __future__ import annotations

import time
from datetime import timedelta

from mmengine.logging import MMLogger

from mmtmix.utils import allocator_note

from .folder import SetFolder


class Progress:
    """Log one line per shard: the images that all processes have made, the rate and the time left.

    Args:
        folder: Folder of the set.
    """

    def __init__(self, folder: SetFolder):
        self.folder = folder
        self.logger = MMLogger.get_current_instance()
        self.total = sum(folder.sizes)
        self.before = self._made()
        if allocator_note():
            self.logger.info(allocator_note())
        self.start = time.monotonic()
        self.logger.info(f'{self.before} of {self.total} mixed images are in {folder.path}')

    def update(self) -> None:
        """Log the number of images made so far."""
        done, seconds = self._made(), time.monotonic() - self.start
        rate = (done - self.before) / max(seconds, 1e-9)
        eta = timedelta(seconds=round((self.total - done) / max(rate, 1e-9)))
        self.logger.info(f'{done} of {self.total} mixed images, {rate:.1f} images/s, eta {eta}')

    def finish(self) -> None:
        """Log a summary of the set, if it is complete."""
        if not self.folder.is_complete:
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
