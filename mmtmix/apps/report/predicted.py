"""Predictions of a run for its test set: those that are there, or new ones."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from mmtmix.evaluation.identity import image_list_digest, images_digest, network_digest
from mmtmix.evaluation.image_loader import build_image_loader
from mmtmix.evaluation.predictions import Predictions, predict
from mmtmix.utils import describe_error
from mmtmix.utils.command import is_user_error

from .work_dir import WorkDir

FILE = 'predictions.npz'
"""Name of the file of predictions in a work dir."""

_NO_CLASSIFIERS = frozenset({'MixerSearch'})


@dataclass(frozen=True)
class Predicted:
    """Predictions of a run, or why there are none.

    Attributes:
        predictions: The predictions; None if there are none.
        source: Sentence about where they come from, or why there are none.
        seconds: Time in which they were made; None if they were there, or there are none.
    """

    predictions: Predictions | None
    source: str
    seconds: float | None = None


def predictions_of(run: WorkDir, is_made: bool = True, device: str | None = None) -> Predicted:
    """Return the predictions of a run's last checkpoint for its test set.

    Relative paths are of the present folder, see :func:`~mmtmix.apps.report.root.working_in`. New
    ones are kept in the work dir.

    Args:
        run: Content of its work dir.
        is_made: Whether a network may be run to make them.
        device: Device that computes; by default the accelerator.
    """
    kind = _dict(run.config.get('model')).get('type')
    if kind in _NO_CLASSIFIERS or 'generation' in run.config:
        return Predicted(None, 'This run trains no classifier, so it predicts no classes.')
    if run.checkpoint is None:
        return Predicted(None, 'There is no checkpoint in the work dir, so nothing is predicted.')
    if not run.config.get('test_dataloader'):
        return Predicted(None, 'The config in the work dir names no test set.')
    try:
        return _load_or_make(run, run.checkpoint, is_made, device)
    except Exception as error:
        if not is_user_error(error):
            raise
        return Predicted(None, f'There are no predictions: {describe_error(error)}.')


def _load_or_make(run: WorkDir, checkpoint: Path, is_made: bool, device: str | None) -> Predicted:
    """Load what is kept, or predict and keep it; errors are those of both."""
    kept = run.path / FILE
    cfg = Config(dict(run.config))
    fault = ''
    if kept.is_file():
        try:
            found = _load(kept, checkpoint, cfg, is_made)
            return Predicted(found, _source(found, checkpoint))
        except ValueError as error:
            fault = f' ({error})'
    if not is_made:
        text = f'There are no predictions of {checkpoint.name}{fault}, and --no-predict was given.'
        return Predicted(None, text)
    _import_custom(run.config)
    start = time.perf_counter()
    found = predict(cfg, checkpoint, device)
    seconds = time.perf_counter() - start
    note = ''
    try:
        found.save(kept)
    except OSError as error:
        note = f' They could not be kept: {error}.'
    return Predicted(found, _source(found, checkpoint) + note, seconds)


def _import_custom(content: Mapping[str, Any]) -> None:
    """Import the modules that a config names, which may hold its network or its data set."""
    imports = _dict(content.get('custom_imports'))
    if imports.get('imports'):
        import_modules_from_strings(
            list(imports['imports']), bool(imports.get('allow_failed_imports', False))
        )


def _load(kept: Path, checkpoint: Path, cfg: Config, is_made: bool) -> Predictions:
    """Load predictions of this network for this test set; errors are those of `Predictions.load`.

    The images are listed only where code of the config may run, and where they are there.
    """
    image_list = None
    if is_made:
        _import_custom(cfg.to_dict())
        # the report of a run whose images have gone keeps what was predicted
        with contextlib.suppress(FileNotFoundError):
            image_list = image_list_digest(build_image_loader(cfg).dataset)
    return Predictions.load(kept, checkpoint, images_digest(cfg), network_digest(cfg), image_list)


def _source(predictions: Predictions, checkpoint: Path) -> str:
    return (
        f'Predictions of {checkpoint.name} (SHA-256 {predictions.checkpoint[:12]}) for the '
        f'{len(predictions.labels):,} images of its test set, computed in {predictions.dtype}.'
    )


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
