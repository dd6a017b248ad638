"""Comparison of a complete set of mixed images with the one that a config describes."""

from __future__ import annotations

import json
import os

from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmtmix.datasets import eval_view_config
from mmtmix.datasets.mixed_shards import read_dataset_file
from mmtmix.models.augments import augment_config
from mmtmix.models.teachers import preprocessor_config

from .generate import read_settings
from .settings import describe, differences


def set_differences(cfg: Config, folder: str | os.PathLike) -> list[str]:
    """Return the fields in which a complete set differs from the one that a config describes.

    Nothing is built, and the images are not read. So another number of source images is not
    found. Files count that both name: a teacher that made the set need not be kept.

    Args:
        cfg: Config with ``generation``, as :func:`~mmtmix.apps.generate.generate` takes it.
        folder: Folder of the set.

    Returns:
        One line per field with both values; none if the set is the one described.

    Raises:
        FileNotFoundError: If the set is not complete.
        ValueError: If its description is damaged, or the config does not fit.
    """
    found = dict(read_dataset_file(folder)['settings'])
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        settings, options = read_settings(cfg)
        source = eval_view_config(cfg, 'train', options['pipeline'])[0]
    parts = dict(
        dataset=source,
        preprocessor=preprocessor_config(cfg) or {},
        mixer=augment_config(cfg),
        teacher=options['teacher'] or {},
    )
    described = json.loads(json.dumps(describe(settings, parts, found.get('num_sources', 0))))
    files = described['files'].keys() & found.get('files', {}).keys()
    for each in (found, described):
        each['files'] = {name: each['files'][name] for name in files}
    return list(differences(found, described))
