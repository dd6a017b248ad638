"""Costs of devices: by hand, and against the records that they come from."""

import json
from pathlib import Path

import pytest

from mmtmix.apps.reproduce.costs import WAITING, Costs, Figure, read_costs
from mmtmix.apps.reproduce.forecast import compare
from mmtmix.apps.reproduce.networks import Network, count_network
from mmtmix.apps.reproduce.work import Call, Loader, Phase

pytestmark = pytest.mark.host

COSTS, RESULTS = 'configs/costs.yaml', Path('results')
DEVICES = ('h200', 'h200_bf16', 'cpu')
SMALL = Network(flops=1e6, layers=10)
# percent; GPUs, and a CPU that is slow with networks of few channels
TOLERANCE = dict(h200=31, h200_bf16=7, cpu=39)


def made_up(**figures):
    defaults = dict(
        rate_small=1e9,
        rate_large=5e8,
        layer_seconds=0.001,
        efficiency=0.5,
        processes=0,
        supermix_default_k2=7.0,
        supermix_default_k2_steps=20.0,
        supermix_default_k2_kept=0.5,
    )
    read = {name: Figure(value, 'assumed', '') for name, value in (defaults | figures).items()}
    mixers = {'CutMix small': (0.01, 0.0), 'PuzzleMix small': (0.0, 0.001)}
    mixers |= {'TransformMix small': (0.0, 0.0)}
    return Costs('mine', 'made up', read, mixers, dict(crop=0.01))


def step(**settings):
    calls = (Call('network', SMALL, 3.0, 1.0),)
    return Phase(
        **(dict(name='training', steps=2, batch=10, size=32, calls=calls, loaders=())) | settings
    )


@pytest.mark.parametrize(
    ('figures', 'settings', 'parts'),
    [
        # 3 passes of 1e6 operations of 10 images, at 1e9 per second
        ({}, {}, dict(network=2 * 0.03)),
        ({}, dict(size=224), dict(network=2 * 0.06)),
        # 10 layers take longer to start than to compute
        (dict(layer_seconds=0.02), {}, dict(network=2 * 0.2)),
        ({}, dict(mixer='CutMix'), dict(network=0.06, mixing=0.02)),
        ({}, dict(mixer='SampleCutMix'), dict(network=0.06, mixing=0.02)),
        ({}, dict(mixer='PuzzleMix'), dict(network=0.06, mixing=0.02)),
        # 10 images in 0.1 s of one process, or 0.05 s of two
        ({}, dict(loaders=(Loader(dict(crop=10), 2),)), {'network': 0.06, WAITING: 0.04}),
        ({}, dict(loaders=(Loader(dict(crop=10), 5),)), dict(network=0.06)),
        (dict(processes=5), dict(loaders=(Loader(dict(crop=10), 1),)), dict(network=0.06)),
        # one forward pass of a teacher; 7 of a solver, which start layers 20 times
        ({}, dict(mixer='TransformMix', teacher=SMALL), dict(network=0.06, teacher=0.02)),
        ({}, dict(mixer='SuperMix', teacher=SMALL), dict(network=0.06, mixing=2 * 0.2)),
    ],
)  # fmt: skip
def test_a_step_by_hand(figures, settings, parts):
    assert made_up(**figures).seconds(step(**settings)) == pytest.approx(parts)


def test_several_gpus_share_a_batch_and_lose_some_speed():
    phase = step(loaders=(Loader(dict(crop=10), 1),))
    # a share of 5 images: 0.015 s, at half the speed; loading 5 images: 0.05 s
    assert made_up().seconds(phase, gpus=2) == pytest.approx(
        {'network': 2 * 0.03, WAITING: 2 * 0.02}
    )
    with pytest.raises(ValueError, match='gpus must be'):
        made_up().seconds(phase, gpus=0)


def test_mixes_that_are_dropped_are_drawn_again():
    settings = dict(type='SuperMix', num_mix=2)
    phase = step(name='generation', mixer='SuperMix', teacher=SMALL, settings=settings, calls=())
    assert made_up().seconds(phase) == pytest.approx(dict(mixing=2 * 0.2 / 0.5))


def test_an_unknown_mixer_is_named():
    with pytest.raises(ValueError, match='the time of FMix for small images on mine is not'):
        made_up().seconds(step(mixer='FMix'))


def test_an_unknown_pipeline_is_named():
    with pytest.raises(ValueError, match="load an image by 'blur' is not known"):
        made_up().seconds(step(loaders=(Loader(dict(blur=1), 1),)))


@pytest.mark.parametrize('device', DEVICES)
def test_steps_that_were_measured_are_near_their_prediction(device):
    rows = compare(read_costs(COSTS, device))
    assert len(rows) >= 3
    for row in rows:
        error = 100 * abs(row['predicted'] / row['measured'] - 1)
        assert error < TOLERANCE[device], row


def test_figures_are_those_of_the_records():
    gpu = {
        path.stem: json.loads(path.read_text()) for path in (RESULTS / 'gpu/h200').glob('*.json')
    }
    tf32, bf16 = read_costs(COSTS, 'h200'), read_costs(COSTS, 'h200_bf16')

    def rate(backbone, channels, size, record):
        head = dict(type='LinearClsHead', num_classes=1000, in_channels=channels)
        model = dict(backbone=backbone, neck=dict(type='GlobalAveragePooling'), head=head)
        operations = 3 * count_network(model, size).flops * record['batch_size']
        return operations / record['steps']['simple']['step']

    wide = dict(type='WideResNet', depth=28, widen_factor=10, layout='puzzle')
    for costs, name in ((tf32, 'fast_wrn28_10'), (bf16, 'fast_wrn28_10_bf16')):
        assert rate(wide, 640, 32, gpu[name]) == pytest.approx(costs['rate_small'], rel=0.01)
    large = rate(dict(type='ResNet', depth=18), 512, 224, gpu['fast_resnet18_224_bf16'])
    assert large == pytest.approx(bf16['rate_large'], rel=0.01)
    ratio = tf32['rate_small'] / bf16['rate_small']
    assert tf32['rate_large'] == pytest.approx(bf16['rate_large'] * ratio, rel=0.01)
    for costs in (tf32, bf16):
        for size, name in (('small', 'fast_wrn28_10'), ('large', 'fast_resnet18_224_bf16')):
            rows = gpu[name]['mixers']
            if costs is tf32 or size == 'large':
                measured = rows['CutMix']['seconds']
                assert costs.mixers[f'CutMix {size}'][0] == pytest.approx(measured, rel=0.01)
            images, co_mixup = gpu[name]['batch_size'], costs.mixers[f'CoMixup {size}'][1]
            assert co_mixup * images == pytest.approx(rows['Co-Mixup']['seconds'], rel=0.01)


def test_passes_of_supermix_are_those_of_the_records():
    rows = json.loads((RESULTS / 'costs/cpu.json').read_text())['sections']['supermix']['rows']
    costs, forward = read_costs(COSTS, 'cpu'), rows['teacher forward']['seconds']
    for kind, row in (
        ('default_k2', 'SuperMix'),
        ('default_k3', 'SuperMix k=3'),
        ('paper_k2', 'SuperMix as published'),
        ('paper_k3', 'SuperMix k=3 as published'),
    ):
        assert costs[f'supermix_{kind}'] == pytest.approx(rows[row]['seconds'] / forward, rel=0.01)
        kept = costs[f'supermix_{kind}_kept']
        assert kept == pytest.approx(rows[row]['finished'], rel=0.01)


def test_loading_times_are_those_of_their_record():
    record = json.loads((RESULTS / 'scale/measured.json').read_text())
    costs = read_costs(COSTS, 'h200')
    for name, seconds in record['seconds_per_image'].items():
        assert costs.loaders[name] == pytest.approx(seconds, rel=0.001)
    for size, name in (('32', 'small'), ('224', 'large')):
        files = record['mixed_files'][size]
        assert costs.loaders[f'encode {size}'] == pytest.approx(files['seconds'], rel=0.001)
        assert costs[f'bytes_{name}'] == pytest.approx(files['bytes'], rel=0.001)


def test_a_second_file_replaces_figures_and_adds_devices(tmp_path):
    more = tmp_path / 'more.yaml'
    more.write_text(
        'devices: {h200: {figures: {rate_small: 5}}, mine: {figures: {rate_small: 6}}}'
    )
    costs = read_costs(COSTS, 'h200', more)
    assert (costs['rate_small'], costs['efficiency']) == (5, 0.9)
    assert costs.figures['rate_small'].basis == 'assumed'
    assert costs['layer_seconds'] == pytest.approx(0.332e-3)
    mine = read_costs(COSTS, 'mine', more)
    assert (mine['rate_small'], mine.mixers) == (6, {})
    more.write_text('devices: {mine: {like: h200, figures: {rate_small: 6}}}')
    mine = read_costs(COSTS, 'mine', more)
    assert (mine['rate_small'], mine['rate_large']) == (6, costs['rate_large'])
    assert mine.mixers == costs.mixers
    assert not mine.checks  # which were measured on the other one


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('- 1', 'must hold a mapping'),
        ('figure: {}', "unknown entries \\['figure'\\]"),
        ('figures: {start_seconds: -1}', 'figures: start_seconds must be'),
        ('figures: {start_seconds: [1, guessed, x]}', 'basis of start_seconds must be'),
        ('loaders: {none: -2}', 'loaders: none must be'),
        ('devices: {mine: {like: tpu}}', 'like of mine must be'),
        ('a: [', 'is no valid YAML'),
    ],
)
def test_faulty_files_are_refused(tmp_path, text, message):
    path = tmp_path / 'more.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_costs(COSTS, 'h200', path)


def test_unknown_files_and_devices_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='more.yaml'):
        read_costs(COSTS, 'h200', tmp_path / 'more.yaml')
    with pytest.raises(ValueError, match="device must be .*'h200'.* got 'tpu'"):
        read_costs(COSTS, 'tpu')
