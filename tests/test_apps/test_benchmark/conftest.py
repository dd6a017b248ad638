"""A small report, and arguments of the command."""

import pytest

from mmtmix.apps.benchmark import Report, Row, Section
from mmtmix.apps.benchmark.command import check_args, complete_args
from mmtmix.apps.benchmark.setting import Setting
from mmtmix.cli.main import parse


@pytest.fixture
def report():
    """Figures of two topics, a sweep and a profile."""
    machine = dict(device='cpu', threads=1)
    learned = Section(
        Setting().to_dict(),
        {
            'teacher forward': Row(0.1, 0.01, 100.0),
            'TransformMix': Row(0.25, 0.02, 120.0),
            'mean of nothing': Row(value=1234.5),
        },
        {'PuzzleMix': 'PyMaxflow is not installed'},
    )
    solved = Section(
        Setting(trained=True, num_classes=10).to_dict(),
        {
            'teacher forward': Row(0.1, 0.0),
            'SuperMix': Row(1.2, 0.1, iterations=5.25, finished=0.875, images=128),
        },
    )
    swept = Section(
        Setting().to_dict(),
        {
            'teacher forward, 2': Row(0.1, 0.0),
            'CutMix, 2': Row(0.02, 0.0),
            'teacher forward, 3': Row(0.2, 0.0),
            'CutMix, 3': Row(0.06, 0.0),
        },
    )
    profile = [dict(operator='aten::mul', calls=2.0, share=0.75)]
    sections = dict(learned=learned, supermix=solved, sweep_k=swept)
    return Report(machine, sections, dict(CutMix=profile))


@pytest.fixture
def arguments():
    """Parse, complete and check the arguments of the command: ``arguments('--short')``."""

    def make(*words):
        args = parse('benchmark', ['--device', 'cpu', *words])
        args.cfg_options, args.variant = {}, {}
        complete_args(args)
        check_args(args)
        return args

    return make
