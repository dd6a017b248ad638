"""What each suite gives, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader

from mmtmix.evaluation.identity import image_list_digest, images_digest
from mmtmix.evaluation.image_loader import build_image_loader
from mmtmix.evaluation.predictions import Predictions, predict_loader
from mmtmix.evaluation.trained_classifier import TrainedClassifier
from mmtmix.models.teachers import InputStats
from mmtmix.visualization import denormalize, save_figure

PERCENT = '%'


class Found(NamedTuple):
    """Result of a suite.

    Attributes:
        figures: Figures by name.
        details: Whatever else is worth keeping, as data for JSON.
        notes: Sentences that belong to the figures wherever they are shown.
    """

    figures: dict[str, float]
    details: dict[str, Any] = {}
    notes: tuple[str, ...] = ()


class Suite(NamedTuple):
    """A set of measurements.

    Attributes:
        settings: Function that returns the settings, as data for JSON, of parsed arguments.
        check: Function that refuses settings before anything expensive; it takes them and the
            config.
        run: Function that measures; it takes an :class:`Evaluation` and the settings.
        shown: Names of the figures in the Markdown row, with their headings. A figure that a run
            doesn't have is left out.
        units: Units by the beginning of a figure's name; percent for others.
    """

    settings: Callable[[Any], dict[str, Any]]
    check: Callable[[Mapping[str, Any], Config], None]
    run: Callable[[Evaluation, Mapping[str, Any]], Found]
    shown: Mapping[str, str]
    units: Mapping[str, str] = {}

    def unit(self, figure: str) -> str:
        """Return the unit of a figure.

        Args:
            figure: Name of the figure.
        """
        found = (unit for name, unit in self.units.items() if figure.startswith(name))
        return next(found, PERCENT)


def shown_on_stderr(items: Iterable[Any], title: str) -> Iterable[Any]:
    """Return a loop that shows its progress on stderr; stdout is for results.

    Args:
        items: Items of the loop.
        title: Title beside the bar.
    """
    length = len(items) if isinstance(items, Sized) else None
    console = Console(stderr=True)
    return track(items, title, total=length, console=console, transient=True)


@dataclass
class Evaluation:
    """A classifier and its test set, as suites use them.

    Attributes:
        cfg: Full config.
        checkpoint: Path or address of the weights.
        classifier: The classifier.
        num_images: Number of images, balanced over the classes; None for all.
        seed: Seed of everything random, >= 0.
        pictures: Folder of the pictures; None for none.
        partial: Details of suites that were interrupted, by suite.
        keep: Function that stores the details of a suite that is not finished.
    """

    cfg: Config
    checkpoint: str
    classifier: TrainedClassifier
    num_images: int | None = None
    seed: int = 0
    pictures: Path | None = None
    partial: dict[str, Any] = field(default_factory=dict)
    keep: Callable[[str, dict[str, Any]], object] = lambda suite, details: None

    @cached_property
    def loader(self) -> DataLoader:
        """Loader of the images."""
        return self.build_loader()

    def build_loader(self, extra: Mapping[str, Any] | None = None) -> DataLoader:
        """Build a loader of the images, which reads the data set anew.

        Args:
            extra: Settings of a transform ahead of ``PackInputs``.
        """
        return build_image_loader(self.cfg, self.num_images, self.seed, extra)

    @cached_property
    def predictions(self) -> Predictions:
        """Predictions for the unchanged images."""
        digests = self.test_set, self.image_list
        shown = partial(shown_on_stderr, title='clean images')
        return predict_loader(self.classifier, self.loader, *digests, shown)

    @cached_property
    def test_set(self) -> str:
        """Digest of the settings of the images."""
        return images_digest(self.cfg, self.num_images, self.seed)

    @cached_property
    def image_list(self) -> str:
        """Digest of the names and labels of the images."""
        return image_list_digest(self.loader.dataset)

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self.loader.sampler)  # type: ignore[arg-type]

    def names(self, labels: Iterable[int]) -> list[str]:
        """Return the names of classes; their numbers where there are no names.

        Args:
            labels: Labels of the classes.
        """
        classes = self.predictions.classes
        return [str(label) if classes is None else classes[label] for label in labels]

    def to_pictures(self, inputs: Tensor) -> NDArray[np.floating]:
        """Return normalised images as pictures in [0, 1].

        Args:
            inputs: Images as the network gets them, (N, C, H, W).
        """
        stats = InputStats.from_config(self.cfg) or InputStats()
        return denormalize(inputs, stats, stats.channel_order or 'rgb')

    def save(self, figure: Figure, *names: str) -> None:
        """Write a figure into the folder of pictures.

        Args:
            figure: The figure.
            *names: Names of files, whose suffixes are formats.
        """
        assert self.pictures is not None  # suites draw only where there is a folder
        for name in names:
            save_figure(figure, self.pictures / name)
