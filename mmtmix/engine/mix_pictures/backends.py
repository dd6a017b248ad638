"""Hand a picture to each backend of a visualizer by itself."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmengine.visualization import MLflowVisBackend

from mmtmix.engine.runner_privates import vis_backends


class ImageBackends:
    """The backends of a run, without those that have failed.

    A backend that fails is logged once, and gets no more pictures.
    """

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def add_image(self, visualizer: Any, name: str, picture: np.ndarray, step: int) -> None:
        """Write a picture.

        Args:
            visualizer: Visualizer of the run.
            name: Name of the picture.
            picture: RGB picture, uint8 (H, W, 3).
            step: Number of the iteration, >= 0.
        """
        for key, backend in vis_backends(visualizer).items():
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
