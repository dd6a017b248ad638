"""A config file, a checkpoint, and one evaluation by all suites that the tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmtmix.cli import main

KINDS = ('gaussian_noise', 'pixelate')
WORDS = ('--kinds', *KINDS, '--severities', '1', '5', '--eps', '2', '8', '--steps', '2')
WORDS += ('--shares', '0.5', '--num-images', '16', '--device', 'cpu')


def write_config(teacher: dict[str, Any], folder: Path, **changes: Any) -> str:
    """Write a config whose test set is 24 images on canvases."""
    cfg = Config(teacher['config'])
    place = dict(type='PlaceOnCanvas', side=20, size=28)
    pipeline = [place, dict(type='PackInputs')]
    cfg.test_dataloader.dataset.update(indices=24, pipeline=pipeline)
    cfg.test_dataloader.update(batch_size=10, num_workers=0)
    cfg.merge_from_dict(changes)
    path = folder / 'config.py'
    cfg.dump(path)
    return str(path)


def evaluate(config: str, checkpoint: str, *words: str) -> dict[str, Any]:
    """Run the command in this process."""
    return main.call('evaluate', [config, checkpoint, *words])


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('evaluate')


@pytest.fixture(scope='module')
def config(fitted_teacher, folder):
    return write_config(fitted_teacher, folder)


@pytest.fixture(scope='module')
def everything(config, fitted_teacher, folder):
    """The content of a results file with all suites, and its path."""
    out = folder / 'results.json'
    suites = ['calibration', 'corruptions', 'fgsm', 'pgd', 'occlusion', 'cam']
    pictures = ('--pictures', str(folder / 'pictures'))
    evaluate(
        config,
        fitted_teacher['checkpoint'],
        *('--suite', *suites, '--out', str(out), *WORDS, *pictures),
    )
    return json.loads(out.read_text()), out
