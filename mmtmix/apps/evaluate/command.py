"""Evaluate a classifier beyond its accuracy."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from mmengine.config import Config
from mmengine.logging import MMLogger

from mmtmix.checks import check_integer
from mmtmix.datasets import check_data
from mmtmix.engine.resuming import command_again
from mmtmix.engine.versions import used_device, used_versions
from mmtmix.evaluation.image_loader import image_loader_config
from mmtmix.evaluation.trained_classifier import TrainedClassifier
from mmtmix.utils import (
    check_device,
    check_output_file,
    check_output_folder,
    is_shipped,
    load_config,
    load_safely,
    stoppable,
)
from mmtmix.utils.variants import variant_words

from .results import FORMAT, check_same, describe, read_results, stored_settings, write_results
from .suite import Evaluation
from .suites import SUITES

_LOGGER = 'mmtmix evaluate'


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Run the suites, print a table of one row, and return the results.

    Args:
        args: Arguments of :mod:`mmtmix.cli.evaluate`.

    Raises:
        FileNotFoundError: If the config, the checkpoint, a file or the data does not exist.
        ImportError: If a suite needs a package that is missing, with the command to install it.
        ValueError: If a config or an argument is wrong, or the checkpoint does not fit.
    """
    out = Path(args.out or default_out(args.checkpoint))
    again = command_again('evaluate', args.argv)
    with stoppable(lambda: f'finished suites are in {out}; to go on: {again}'):
        results = evaluate(args, out)
    print(describe(results, [name for name in SUITES if name in args.suite]))
    print(f'\nall figures, with units and settings: {out}', file=sys.stderr)
    return results


def default_out(checkpoint: str) -> Path:
    """Return the file of results of a checkpoint: beside it, or here if it has no folder.

    Args:
        checkpoint: Path or address of the checkpoint, or ``mmtmix://NAME``.
    """
    if is_shipped(checkpoint):
        return Path(f'{checkpoint.partition("://")[2]}.evaluation.json')
    if '://' in checkpoint:
        return Path(PurePosixPath(urlsplit(checkpoint).path).stem + '.evaluation.json')
    return Path(checkpoint).with_suffix('.evaluation.json')


def evaluate(args: argparse.Namespace, out: Path) -> dict[str, Any]:
    """Run the suites that are not in the file of results yet, and return its content.

    Args:
        args: Arguments of :mod:`mmtmix.cli.evaluate`.
        out: File of results.
    """
    cfg, chosen = _check_arguments(args, out)
    kept = read_results(out)
    classifier = TrainedClassifier(cfg, args.checkpoint, args.device, args.dtype)
    pictures = None if args.pictures is None else Path(args.pictures)
    evaluation = Evaluation(cfg, args.checkpoint, classifier, args.num_images, args.seed, pictures)
    results = _describe_run(args, evaluation)
    check_same(out, kept, results)
    results['classes'] = kept.get('classes')
    results['suites'] = dict(kept.get('suites', {}))
    partial = kept.get('partial', {})
    for name, settings in chosen.items():
        stored = stored_settings(settings)
        if _is_done(results['suites'].get(name), stored, pictures):
            print(f'{name}: in {out} already', file=sys.stderr)
            continue
        before = partial.get(name, {})
        fits = before.get('settings') == stored
        evaluation.partial = before.get('details', {}) if fits else {}

        def keep(suite: str, details: dict[str, Any], stored: Any = stored) -> None:
            part = dict(settings=stored, details=details)
            write_results(out, {**results, 'partial': {**partial, suite: part}})

        evaluation.keep = keep
        results['classes'] = int(evaluation.predictions.scores.shape[1])
        results['suites'][name] = _measure(evaluation, name, settings)
        partial.pop(name, None)
        write_results(out, {**results, **(dict(partial=partial) if partial else {})})
    return results


def _check_arguments(
    args: argparse.Namespace, out: Path
) -> tuple[Config, dict[str, dict[str, Any]]]:
    """Return the config and the settings of each suite, once all that is cheap is checked."""
    check_output_file('--out', out, ('.json',))
    if args.pictures is not None:
        check_output_folder('--pictures', args.pictures)
    if args.num_images is not None:
        check_integer('--num-images', args.num_images, 1)
    check_integer('--seed', args.seed, 0)
    if args.device is not None:
        check_device('--device', args.device)
    # stdout is for the table alone; the file of results holds what a log would
    if not MMLogger.check_instance_created(_LOGGER):
        MMLogger.get_instance(_LOGGER, log_level='WARNING')
    load_safely(args.trust_checkpoint)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    chosen = {name: SUITES[name].settings(args) for name in SUITES if name in args.suite}
    for name, settings in chosen.items():
        SUITES[name].check(settings, cfg)
    check_data(dict(test_dataloader=image_loader_config(cfg)))
    return cfg, chosen


def _measure(evaluation: Evaluation, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Run a suite and return what the file of results holds of it."""
    start = time.perf_counter()
    found = SUITES[name].run(evaluation, settings)
    return dict(
        settings=stored_settings(settings),
        figures={figure: round(value, 4) for figure, value in found.figures.items()},
        units={figure: SUITES[name].unit(figure) for figure in found.figures},
        notes=list(found.notes),
        seconds=round(time.perf_counter() - start, 2),
        versions=used_versions(),
        device=used_device(),
        details=found.details,
    )


def _is_done(found: Mapping[str, Any] | None, stored: Any, pictures: Path | None) -> bool:
    """Return whether a suite with these settings is in the file; pictures are drawn anew."""
    return found is not None and found['settings'] == stored and pictures is None


def _describe_run(args: argparse.Namespace, evaluation: Evaluation) -> dict[str, Any]:
    return dict(
        format=FORMAT,
        config=str(args.config),
        variants=variant_words(args.variant or {})[1:],
        options={name: repr(value) for name, value in (args.cfg_options or {}).items()},
        checkpoint=str(args.checkpoint),
        checkpoint_sha256=evaluation.classifier.digest,
        network=evaluation.classifier.network,
        test_set=evaluation.test_set,
        image_list=evaluation.image_list,
        images=evaluation.count,
        num_images=args.num_images,
        seed=args.seed,
        dtype=evaluation.classifier.dtype,
    )
