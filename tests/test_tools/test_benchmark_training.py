"""tools/benchmark_training.py on tiny batches: what it times, counts and writes."""

import json
from importlib.util import find_spec

import pytest
from mmengine.config import Config

pytestmark = pytest.mark.host

SMALL = ('--batch-size', '8', '--repeats', '1', '--inner', '2', '--device', 'cpu')


@pytest.fixture(scope='module')
def trained(tmp_path_factory, fitted_teacher, run_tool):
    """Figures and their file, of a run with a trained teacher on real images."""
    folder = tmp_path_factory.mktemp('benchmark')
    Config(fitted_teacher['config']).dump(folder / 'teacher.py')
    config = ('--config', 'teacher.py', '--checkpoint', fitted_teacher['checkpoint'])
    figures, _ = run_tool('benchmark_training', folder, *config, '--json', 'figures.json', *SMALL)
    return figures, json.loads((folder / 'figures.json').read_text())


def test_steps_are_timed_without_mixing_and_with_each_mixer(trained):
    figures, written = trained
    assert written == figures
    assert figures['image_shape'] == [1, 28, 28]
    steps = figures['steps']
    assert [*steps] == ['simple', 'CutMix', 'TransformMix', 'SuperMix']
    for name, row in steps.items():
        assert row['images_per_second'] == pytest.approx(8 / row['step'])
        assert row['share'] == pytest.approx(row['mixing'] / row['step'])
        assert (row['mixing'] > 0) == (name != 'simple')
    assert steps['SuperMix']['mixing'] > steps['TransformMix']['mixing'] > 0


def test_mixers_of_other_libraries_stand_beside_ours(trained):
    mixers = trained[0]['mixers']
    assert {'plain blend', 'CutMix', 'TransformMix k=3', 'SuperMix k=3'} <= mixers.keys()
    assert {"torchvision's MixUp", "torchvision's CutMix"} <= mixers.keys()
    assert ("timm's Mixup and CutMix, elem" in mixers) == (find_spec('timm') is not None)
    assert all(row['seconds'] > 0 for row in mixers.values())


def test_a_network_of_random_weights_trains_without_supermix(tmp_path, run_tool):
    options = ('--network', 'wrn16_1', '--image-size', '18', '--no-mixers', '--dtype', 'bfloat16')
    figures, printed = run_tool('benchmark_training', tmp_path, *options, *SMALL)
    assert [*figures['steps']] == ['simple', 'CutMix', 'TransformMix']
    assert 'mixers' not in figures
    assert '| TransformMix | ' in printed
