"""Tune the settings of a TransformMix search by the metric of its validation, over seeds.

A trial is the same search with several seeds, each an ordinary run in its own work dir. Its value
is the mean of the metric over the seeds. The best module is kept in OUT/best: that of the median
seed, not the luckiest. The same command continues after a kill. Several processes may work on one
study at once, also on several machines that share OUT. Needs `pip install 'mmtmix[tune]'`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mmtmix.cli.arguments import add_config
from mmtmix.cli.parser import CommandParser


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = CommandParser(description=__doc__)
    add_config(parser, 'config of a search, configs/transformmix/search_*.py')
    parser.add_argument('--trials', type=int, default=40, help='number of trials in all')
    parser.add_argument('--seeds', type=int, default=3, help='number of searches per trial')
    parser.add_argument(
        '--space',
        default='schedule',
        help='schedule (length and rate), module (noise, padding and the like), all (both), or a '
        'YAML file of paths with a list of choices or {low: ..., high: ..., log: true}',
    )
    parser.add_argument('--metric', default='mix/transformmix/ce', help='metric of the validation')
    parser.add_argument(
        '--direction',
        choices=('minimize', 'maximize'),
        help='direction that is better (follows from the names of ce, loss, accuracy, top_k, ...)',
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the choice of parameters')
    parser.add_argument(
        '--no-prune',
        action='store_true',
        help='do not end a trial whose first search is worse than the median',
    )
    parser.add_argument('--out', help='folder of the study (work_dirs/tune/NAME)')
    return parser.parse_args(argv)


def run(argv: list[str]) -> int:
    """Tune a search and return the exit status.

    Args:
        argv: Arguments of this tool.

    Raises:
        ImportError: If Optuna is missing.
        FileNotFoundError: If the config or the space does not exist.
        RuntimeError: If a required stage or three trials in a row fail.
        ValueError: If an argument is wrong, or OUT holds another study.
    """
    from mmtmix.apps.tune import TuneSettings, check_optuna, direction_of, read_space, tune
    from mmtmix.apps.tune.settings import check_search
    from mmtmix.engine.digest import run_digest
    from mmtmix.engine.stages import plan_stages
    from mmtmix.utils import load_config, stoppable
    from mmtmix.utils.config_options import parse_options
    from mmtmix.utils.variants import parse_variants

    args = parse_args(argv)
    check_optuna()
    options, variants = args.cfg_options or [], parse_variants(args.variant or [])
    cfg = load_config(args.config, parse_options(options), variants)
    check_search(cfg, args.config)
    settings = TuneSettings(
        args.config,
        read_space(args.space, cfg),
        args.metric,
        args.direction or direction_of(args.metric),
        args.seeds,
        args.seed,
        variants,
        options,
        not args.no_prune,
        run_digest(plan_stages(args.config, cfg, variants)),
    )
    out = Path(args.out or Path('work_dirs', 'tune', Path(args.config).stem))
    with stoppable(lambda: f'the trials so far are in {out}; the same command goes on'):
        best = tune(settings, out, args.trials)
    if best is None:
        print('no trial is complete')
        return 1
    module = out / 'best' / 'mixer.pth'
    spread = '' if best['deviation'] is None else f' +- {best["deviation"]:.2g}'
    print(
        f'best: trial {best["trial"]}, {best["metric"]} {best["mean"]:.4g}{spread} over '
        f'{len(best["values"])} seeds, {best["parameters"]}\n'
        f'the module of its median seed {best["seed"]} is {module}; a classifier uses it by\n'
        f'    --cfg-options requires=[] model.train_cfg.augments.mixer={module}'
    )
    return 0


if __name__ == '__main__':
    from mmtmix.utils import run_command

    sys.exit(run_command(run, __file__))
