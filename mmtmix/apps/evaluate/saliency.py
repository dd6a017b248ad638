"""The saliency of the network that is evaluated."""

from __future__ import annotations

from mmtmix.evaluation.trained_classifier import TrainedClassifier
from mmtmix.models import FrozenTeacher


def saliency_of(classifier: TrainedClassifier) -> FrozenTeacher:
    """Return a frozen copy of a classifier, whose ``saliency`` takes the classifier's inputs.

    Args:
        classifier: The classifier.
    """
    # its inputs are normalised for itself, so any statistics do that are the same twice
    return FrozenTeacher(
        model=classifier.model,
        mean=0.0,
        std=1.0,
        channel_order='rgb',
        input_stats=dict(mean=[0.0], std=[1.0], channel_order='rgb'),
        dtype='float32',
    )
