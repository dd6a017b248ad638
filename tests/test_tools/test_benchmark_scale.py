"""tools/benchmark_scale.py: loading times and sizes of mixed images, on few images."""

import json

import pytest

pytestmark = pytest.mark.host


def test_it_times_each_pipeline_once_and_measures_shards(load, tmp_path):
    experiments = tmp_path / 'experiments.yaml'
    cells = ('simple/wrn28_cifar100', 'augmix/resnet50_imagenet_phase1')
    lines = ['a/1/row:', '  checkpoint: last', '  cells:']
    lines += [f'    c{n}: {{config: configs/{cell}.py}}' for n, cell in enumerate(cells)]
    experiments.write_text('\n'.join(lines))
    out = tmp_path / 'scale/measured.json'
    words = ['--experiments', str(experiments), '--out', str(out), '--images', '2']
    assert load('benchmark_scale').main([*words, '--repeats', '1']) == 0
    content = json.loads(out.read_text())
    load_file = 'CheckedLoadImageFromFile'
    assert list(content['seconds_per_image']) == [
        'RandomCrop32',
        'none',
        f'{load_file} ResizeEdge160 RandomResizedCrop128 AugMix',
        f'{load_file} ResizeEdge256 CenterCrop224',
    ]
    assert all(seconds > 0 for seconds in content['seconds_per_image'].values())
    small, large = content['mixed_files']['32'], content['mixed_files']['224']
    # pixels, the teacher's probabilities and other fields, and the head of a shard of 16
    assert 3072 + 400 < small['bytes'] < 3072 + 400 + 150
    assert small['seconds'] == 0 < large['seconds']
    assert 50_000 < large['bytes'] < 224 * 224 * 3
    assert content['photograph_bytes'] > 30_000
