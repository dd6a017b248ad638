"""Hand a picture to each backend of a visualizer by itself."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmengine.visualization import LocalVisBackend, MLflowVisBackend

from mmtmix.engine.runner_privates import vis_backends


class ImageBackends:
    """The backends of a run, without those that have failed.

    A backend that fails is logged once, and gets no more pictures. Pictures are always in the work
    dir too, whatever backends the user lists.

    Args:
        folder: Folder of the run's local log, for the pictures of a visualizer without a
            ``LocalVisBackend``.
    """

    def __init__(self, folder: str):
        self.folder = folder
        self._failed: set[str] = set()
        self._own: LocalVisBackend | None = None

    def add_image(self, visualizer: Any, name: str, picture: np.ndarray, step: int) -> None:
        """Write a picture.

        Args:
            visualizer: Visualizer of the run.
            name: Name of the picture.
            picture: RGB picture, uint8 (H, W, 3).
            step: Number of the iteration, >= 0.
        """
        backends = vis_backends(visualizer)
        if not any(isinstance(one, LocalVisBackend) for one in backends.values()):
            self._own = self._own or LocalVisBackend(self.folder)
            backends['local log'] = self._own
        for key, backend in backends.items():
            if key in self._failed:
                continue
            # MLflow takes the name of a file, and would overwrite that of the last step
            is_file = isinstance(backend, MLflowVisBackend)
            try:
                backend.add_image(f'{name}_{step}.png' if is_file else name, picture, step)
            except Exception as error:
                self._failed.add(key)
                kind = type(backend).__name__
                print_log(
                    f'{kind} did not take a picture of the mixes, and gets no more of them: '
                    f'{type(error).__name__}: {error}',
                    logger='current',
                    level=logging.WARNING,
                )
