"""Baselines that are comparable count, and others are refused."""

import json

import pytest

from mmtmix.apps.evaluate.baseline import (
    ALEXNET,
    baseline_digest,
    check_same_images,
    mean_corruption_error,
    read_baseline,
)
from mmtmix.datasets.transforms.corrupt import KINDS

pytestmark = pytest.mark.host

IMAGENET = dict(form='folders', classes=1000, names='0' * 16)
CIFAR_10 = dict(form='arrays', labels='1' * 16)
CIFAR_100 = dict(form='arrays', labels='2' * 16)
ALL = (1, 2, 3, 4, 5)


def write(path, published=None, error=50.0, **changes):
    fields = dict(num_images=100, seed=0, images=100, image_list='a', checkpoint='x/other.pth')
    suite = dict(
        settings=dict(published=published),
        details=dict(errors={'fog': {'1': error, '2': error}}),
        figures=dict(clean_error=10.0),
    )
    content = dict(fields, checkpoint_sha256='9' * 64, suites=dict(corruptions=suite), **changes)
    path.write_text(json.dumps(content))
    return str(path)


def test_alexnet_is_for_imagenet_c_alone():
    found = read_baseline(ALEXNET, KINDS, ALL, IMAGENET)
    assert found.by_kind['gaussian_noise'] == 88.6428 and 'AlexNet' in found.source
    for published in (None, CIFAR_10, dict(IMAGENET, classes=200)):
        with pytest.raises(ValueError, match='ImageNet-C'):
            read_baseline(ALEXNET, KINDS, ALL, published)
    with pytest.raises(ValueError, match='all severities'):
        read_baseline(ALEXNET, KINDS, (1, 2), IMAGENET)


def test_the_mce_is_relative_to_the_errors_of_the_file(tmp_path):
    found = read_baseline(write(tmp_path / 'a.json'), ['fog'], [1, 2], None)
    assert found.source == 'x/other.pth (SHA-256 999999999999)'
    relative = mean_corruption_error({'fog': 25.0}, 5.0, found)
    assert relative == {'mce': 50.0, 'relative_mce': 50.0}


def test_other_corruptions_are_refused(tmp_path):
    path = write(tmp_path / 'a.json', CIFAR_10)
    assert read_baseline(path, ['fog'], [1], CIFAR_10).clean == 10
    for published in (None, CIFAR_100, IMAGENET):
        with pytest.raises(ValueError, match='give one of the same corruptions'):
            read_baseline(path, ['fog'], [1], published)
    with pytest.raises(ValueError, match='lacks fog 3'):
        read_baseline(path, ['fog'], [3], CIFAR_10)


@pytest.mark.parametrize(
    ('field', 'value'), [('num_images', None), ('seed', 1), ('images', 99), ('image_list', 'b')]
)
def test_other_images_are_refused(tmp_path, field, value):
    path = write(tmp_path / 'a.json')
    found = read_baseline(path, ['fog'], [1], None)
    images = dict(num_images=100, seed=0, images=100, image_list='a')
    check_same_images(path, found, images)
    with pytest.raises(ValueError, match=f'of other images: {field} .*same test set'):
        check_same_images(path, found, {**images, field: value})


def test_a_changed_file_has_another_digest(tmp_path):
    path = write(tmp_path / 'a.json')
    before = baseline_digest(path)
    write(tmp_path / 'a.json', config='another')  # nothing that the mCE depends on
    assert baseline_digest(path) == before
    write(tmp_path / 'a.json', error=51.0)
    assert baseline_digest(path) not in (before, None)
    assert baseline_digest(str(tmp_path / 'none.json')) is None
