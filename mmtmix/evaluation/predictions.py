"""The probabilities that a classifier predicts for a test set, and the file that keeps them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from mmtmix.datasets.class_names import iter_names
from mmtmix.utils import atomic_path, check_output_file, fetch_checkpoint, file_digest

from .identity import image_list_digest, images_digest
from .image_loader import build_image_loader
from .trained_classifier import DIGITS, TrainedClassifier, labels_in

SUFFIX = '.npz'
_TEXTS = ('checkpoint', 'test_set', 'dtype', 'network', 'image_list')
Shown = Callable[[Iterable[Any]], Iterable[Any]]
"""A function that shows the progress of a loop, such as ``tqdm.tqdm``."""


@dataclass(frozen=True)
class Predictions:
    """Predictions for the images of a test set, in its order.

    Attributes:
        scores: Probabilities, float32 (N, C).
        labels: True classes, int64 (N,), 0 to C - 1.
        classes: Names of the classes by label; None where neither the checkpoint nor the data set
            has any.
        checkpoint: SHA-256 of the checkpoint, 64 hexadecimal digits.
        test_set: Digest of the settings of the test set and of the part that was taken of it, 16
            hexadecimal digits; empty if it is not known.
        dtype: Dtype of the forward passes.
        network: Digest of the settings of the network and its data preprocessor, 16 hexadecimal
            digits; empty if it is not known.
        image_list: Digest of the names and labels of the images of the whole set, 16 hexadecimal
            digits; empty if it is not known.

    Raises:
        ValueError: If the arrays do not fit each other, or a score is no probability.
    """

    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...] | None
    checkpoint: str
    test_set: str = ''
    dtype: str = 'float32'
    network: str = ''
    image_list: str = ''

    def __post_init__(self) -> None:
        scores, labels = self.scores, self.labels
        if scores.ndim != 2 or labels.shape != scores.shape[:1] or not scores.size:
            raise ValueError(
                f'scores must be (N, C) and labels (N,) with N, C >= 1, got {scores.shape} and '
                f'{labels.shape}'
            )
        if scores.dtype != np.float32 or labels.dtype != np.int64:
            raise ValueError(
                f'scores must be float32 and labels int64, got {scores.dtype} and {labels.dtype}'
            )
        if not np.isfinite(scores).all():
            raise ValueError('scores must be finite, got NaN or infinity; the network diverged')
        if labels.min() < 0 or labels.max() >= scores.shape[1]:
            raise ValueError(
                f'labels must be 0 to {scores.shape[1] - 1}, the classes of the scores, got '
                f'{labels.min()} to {labels.max()}; give the config of the network and its data'
            )
        if self.classes is not None and len(self.classes) != scores.shape[1]:
            raise ValueError(
                f'classes must be {scores.shape[1]} names, one per column of the scores, got '
                f'{len(self.classes)}'
            )

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Class with the highest score of each image, int64 (N,)."""
        return self.scores.argmax(axis=1).astype(np.int64)

    @property
    def error(self) -> float:
        """Share of images whose class is not predicted, in percent."""
        return 100 * float(np.mean(self.predicted != self.labels))

    def save(self, path: str | os.PathLike) -> None:
        """Write a file of plain arrays, whole or not at all.

        Args:
            path: Path that ends in ``.npz``.

        Raises:
            OSError: If it cannot be written.
            ValueError: If it has another suffix.
        """
        check_output_file('path', path, (SUFFIX,))
        arrays: dict[str, Any] = dict(
            scores=self.scores,
            labels=self.labels,
            **{name: np.array(getattr(self, name)) for name in _TEXTS},
        )
        if self.classes is not None:
            arrays['classes'] = np.array(self.classes, dtype=np.str_)
        with atomic_path(path) as temporary:
            np.savez(temporary, **arrays)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike,
        checkpoint: str | os.PathLike | None = None,
        test_set: str | None = None,
        network: str | None = None,
        image_list: str | None = None,
    ) -> Predictions:
        """Read a file that :meth:`save` wrote; no code in it is run.

        Args:
            path: Path of the file.
            checkpoint: Checkpoint whose predictions they must be; None accepts any.
            test_set: Digest of the settings of the test set that they must be of, see
                :func:`~mmtmix.evaluation.identity.images_digest`; None accepts any.
            network: Digest of the network that must have made them, see
                :func:`~mmtmix.evaluation.identity.network_digest`; None accepts any.
            image_list: Digest of the images that they must be of, see
                :func:`~mmtmix.evaluation.identity.image_list_digest`; None accepts any.

        Raises:
            FileNotFoundError: If there is no such file, or no such checkpoint.
            ValueError: If it is damaged, or of another checkpoint, network or test set.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f'predictions {str(path)!r} do not exist')
        try:
            with np.load(path, allow_pickle=False) as found:
                texts = {name: str(found[name]) for name in _TEXTS}
                classes = tuple(map(str, found['classes'])) if 'classes' in found else None
                predictions = cls(found['scores'], found['labels'], classes, **texts)
        except Exception as error:  # a damaged archive can fail in any way
            raise ValueError(
                f'predictions {str(path)!r} are damaged ({error}); delete the file to make it anew'
            ) from error
        if checkpoint is not None:
            digest = file_digest(fetch_checkpoint(checkpoint), DIGITS)
            if digest != predictions.checkpoint:
                raise ValueError(
                    f'predictions {str(path)!r} are of another checkpoint than '
                    f'{str(checkpoint)!r}: SHA-256 {predictions.checkpoint[:12]} and not '
                    f'{digest[:12]}; delete the file to make it anew'
                )
        predictions._check_origin(path, test_set, network, image_list)
        return predictions

    def _check_origin(self, path: Any, *wanted: str | None) -> None:
        """Refuse predictions of another test set, network or list of images; None accepts any."""
        things = {
            'another test set': self.test_set,
            'another network, or of one with another normalisation': self.network,
            'other images or labels in the test set': self.image_list,
        }
        for (thing, kept), digest in zip(things.items(), wanted, strict=True):
            if digest is not None and digest != kept:
                raise ValueError(
                    f'predictions {str(path)!r} are of {thing}; delete the file to make it anew'
                )


def predict(
    cfg: Config,
    checkpoint: str | os.PathLike,
    device: str | None = None,
    *,
    dtype: str = 'float32',
    num_images: int | None = None,
    seed: int = 0,
    shown: Shown = iter,
) -> Predictions:
    """Predict the test set of a config in one pass.

    Loader, pipeline, data preprocessor and network are those of ``mmtmix test``, so the accuracy
    is the same.

    Args:
        cfg: Full config with a ``test_dataloader``.
        checkpoint: Path or http(s) address of the weights, which are loaded as data.
        device: Device that computes; by default the accelerator.
        dtype: Dtype of the forward passes; ``'auto'`` for the fastest one here.
        num_images: Number of images, >= 1, balanced over the classes; None for all.
        seed: Seed of their choice, >= 0.
        shown: Function that shows the progress of the loop over batches.

    Raises:
        FileNotFoundError: If the checkpoint or files of the data set are missing.
        ValueError: If the checkpoint does not fit, or there is not one label per image.
    """
    classifier = TrainedClassifier(cfg, checkpoint, device, dtype)
    loader = build_image_loader(cfg, num_images, seed)
    digests = images_digest(cfg, num_images, seed), image_list_digest(loader.dataset)
    return predict_loader(classifier, loader, *digests, shown)


def predict_loader(
    classifier: TrainedClassifier,
    loader: DataLoader,
    test_set: str = '',
    image_list: str = '',
    shown: Shown = iter,
) -> Predictions:
    """Predict the images of a loader.

    Args:
        classifier: The classifier.
        loader: Loader from :func:`~mmtmix.evaluation.image_loader.build_image_loader`.
        test_set: Digest of the settings of the test set.
        image_list: Digest of the images of the test set.
        shown: Function that shows the progress of the loop over batches.

    Raises:
        ValueError: If there is not one label per image.
    """
    scores, labels = [], []
    for batch in shown(loader):
        inputs, samples = classifier.prepare(batch)
        labels.append(labels_in(samples))
        scores.append(classifier.scores(inputs))
    names = next((names.classes for names in iter_names(loader.dataset, 'test_dataloader')), ())
    classes = classifier.classes or tuple(names) or None
    found = torch.cat(scores).cpu().numpy()
    if classes is not None and len(classes) != found.shape[1]:
        classes = None  # names of another set than the network's
    return Predictions(
        found,
        torch.cat(labels).cpu().numpy(),
        classes,
        classifier.digest,
        test_set,
        classifier.dtype,
        classifier.network,
        image_list,
    )
