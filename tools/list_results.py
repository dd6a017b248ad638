"""Fill the metafiles of configs/ with measured results and with shipped weights.

Models are added below the line `# Measured; ...` of each metafile. One per config with recorded
runs has the mean accuracy of each experiment, with its settings. One per classifier of `mmtmix
weights` has its accuracy and `Weights`. The rest of a metafile stays as it is. With --check the
tool only compares, as the tests do.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from mmtmix.apps.reproduce import Cell, RunResult, read_experiments, read_records, runs_of
from mmtmix.apps.weights.cards import read_cards
from mmtmix.cli.parser import CommandParser
from mmtmix.utils import atomic_path, load_config, run_command
from mmtmix.utils.config_options import parse_options
from mmtmix.utils.shipped import SCHEME

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENTS = ROOT / 'configs' / 'experiments_fashionmnist.yaml'
RECORDS = ROOT / 'results' / 'fashionmnist' / 'runs.jsonl'
MARK = '# Measured; made by `python tools/list_results.py`, so do not edit below this line.\n'
# tables by which settings were chosen, and those of searches, have no results to conclude from
LEFT_OUT = ('choose/', 'search/')
TOP1 = 'accuracy/top1'
IMAGES = {
    'fashionmnist': 'Fashion-MNIST',
    'digits': "scikit-learn's digits",
    'scattered': 'Fashion-MNIST, pictures moved out of the middle',
}


def main(argv: list[str] | None = None) -> int:
    """Write or compare the metafiles, and return the exit status."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--check', action='store_true', help='only compare; 1 if one differs')
    parser.add_argument('--configs', type=Path, default=ROOT / 'configs', help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    models = measured_models(read_records(RECORDS), read_experiments(EXPERIMENTS).values())
    models = [*models, *shipped_models(read_cards())]
    outdated = []
    for path in sorted(args.configs.glob('*/metafile.yml')):
        old = path.read_text(encoding='utf-8')
        new = fill(old, [model for model in models if folder_of(model) == path.parent.name])
        if new == old:
            continue
        outdated.append(path)
        if not args.check:
            with atomic_path(path) as temporary:
                temporary.write_text(new, encoding='utf-8')
    if args.check:
        for path in outdated:
            print(f'{path} is out of date; run python tools/list_results.py', file=sys.stderr)
    return 1 if args.check and outdated else 0


def fill(text: str, models: Iterable[Mapping[str, Any]]) -> str:
    """Return a metafile with other measured models.

    Args:
        text: Text of the metafile.
        models: Entries of ``Models``, without ``In Collection``.

    Raises:
        ValueError: If two of its models have one name.
    """
    by_hand = text.partition(MARK)[0]
    content = yaml.safe_load(by_hand)
    (collection,) = content['Collections']
    names = {model['Name'] for model in content.get('Models') or ()}
    lines = [f'{MARK}' if 'Models' in content else f'{MARK}Models:\n']
    for model in models:
        if model['Name'] in names:
            raise ValueError(f'{model["Name"]} is in the metafile already')
        lines.append(_entry({**model, 'In Collection': collection['Name']}))
    return by_hand + ''.join(lines) if len(lines) > 1 else by_hand


def _entry(model: Mapping[str, Any]) -> str:
    """Return an entry of ``Models`` as text, with one line per result."""
    order = ('Name', 'In Collection', 'Config', 'Metadata', 'Weights', 'Results')
    lines = []
    for name in order:
        if name == 'Results':
            lines.append('    Results:\n')
            for result in model['Results']:
                lines.append(f'      - Task: {result["Task"]}\n')
                lines += [
                    f'        {key}: {_flow(result[key])}\n' for key in ('Dataset', 'Metrics')
                ]
        elif name in model:
            lines.append(f'    {name}: {_flow(model[name])}\n')
    lines[0] = lines[0].replace('    ', '  - ', 1)
    return ''.join(lines)


def _flow(value: Any) -> str:
    """Return a value in one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return text.removesuffix('...\n').strip()


def folder_of(model: Mapping[str, Any]) -> str:
    """Return the folder of a model's config.

    Args:
        model: Entry of ``Models``.
    """
    return model['Config'].split('/')[1]


def measured_models(records: Iterable[RunResult], cells: Iterable[Cell]) -> list[dict[str, Any]]:
    """Return one model per config that has results, with one result per experiment.

    Args:
        records: Recorded runs, all with the present configs.
        cells: Cells of the experiments file, by whose names results can be made again.

    Raises:
        ValueError: If runs of an experiment have several digests.
    """
    runs = list(records)
    results: dict[str, list[dict[str, Any]]] = {}
    seen = set()
    for cell in cells:
        if cell.quoted or cell.id.startswith(LEFT_OUT):
            continue
        experiment = runs_of(cell)[0].experiment
        of_cell = [
            run
            for run in runs
            if run.experiment == experiment
            and run.checkpoint == cell.checkpoint
            and run.seed in (cell.seeds or (run.seed,))
            and TOP1 in run.metrics
        ]
        if not of_cell or experiment in seen:
            continue
        seen.add(experiment)
        if len({run.digest for run in of_cell}) > 1:
            raise ValueError(f'runs of {cell.id} have several digests: export them anew')
        accuracies = [run.metrics[TOP1] for run in of_cell]
        results.setdefault(cell.config, []).append(_result(cell, accuracies))
    return [_measured(config, results[config]) for config in sorted(results)]


def _result(cell: Cell, accuracies: list[float]) -> dict[str, Any]:
    """Return an entry of ``Results`` for the runs of a cell, with the settings of these runs.

    The settings are in ``Metrics``, since readers of a metafile keep no other key.
    """
    variants = {name: str(value) for name, value in cell.variants.items()}
    options = [f'{name}={value}' for name, value in cell.options.items()]
    metrics: dict[str, Any] = {'Top 1 Accuracy': round(statistics.fmean(accuracies), 2)}
    if len(accuracies) > 1:
        metrics['Standard Deviation'] = round(statistics.stdev(accuracies), 2)
    metrics |= {'Seeds': len(accuracies), 'Cell': cell.id}
    if variants:
        metrics['Variants'] = ' '.join(map('='.join, variants.items()))
    if options:
        metrics['Options'] = ' '.join(option.replace(' ', '') for option in options)
    cfg = load_config(ROOT / cell.config, parse_options(options), variants)
    metrics['Epochs'] = cfg.train_cfg.max_epochs
    metrics['Batch Size'] = cfg.train_dataloader.batch_size
    number = int(variants.get('NUM_IMAGES', 1000))
    images = IMAGES[variants.get('DATASET', 'fashionmnist')]
    return dict(
        Task='Image Classification',
        Dataset=f'{images} ({number:,} training images)',
        Metrics=metrics,
    )


def _measured(config: str, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a model whose results have settings of their own; its metadata are common to all."""
    data = dict.fromkeys(result['Dataset'].rpartition(' (')[0] for result in results)
    metadata = {'Training Data': [*data] if len(data) > 1 else next(iter(data))}
    for name in ('Epochs', 'Batch Size'):
        values = {result['Metrics'][name] for result in results}
        if len(values) == 1:
            metadata[name] = values.pop()
            for result in results:
                del result['Metrics'][name]
    return dict(Name=_name(config), Config=config, Metadata=metadata, Results=results)


def shipped_models(cards: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one model per shipped classifier.

    Args:
        cards: Cards of all shipped weights.
    """
    models = []
    for card in cards:
        if 'accuracy' in card:
            result = dict(
                Task='Image Classification',
                Dataset=f'{card["data"]["name"]} ({card["accuracy"]["data"]})',
                Metrics={'Top 1 Accuracy': card['accuracy']['top1'], 'Seeds': 1},
            )
            cfg = load_config(ROOT / card['config'])
            metadata = {
                'Training Data': card['data']['name'],
                'Epochs': cfg.train_cfg.max_epochs,
                'Batch Size': cfg.train_dataloader.batch_size,
            }
            models.append(
                dict(
                    Name=_name(card['config']),
                    Config=card['config'],
                    Metadata=metadata,
                    Weights=SCHEME + card['name'],
                    Results=[result],
                )
            )
    return models


def _name(config: str) -> str:
    """Return the name of a config's model."""
    return f'{config.split("/")[1]}_{Path(config).stem}'


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
