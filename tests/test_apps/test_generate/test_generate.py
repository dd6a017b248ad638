"""generate(): whole sets from a config, resumed, shared, and refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mmtmix.apps.generate import generate, read_settings
from mmtmix.apps.generate.mixing import LabelledAugment
from mmtmix.datasets import FashionMNISTIdx, MixedImages
from mmtmix.datasets.mixed_shards import ShardReader, shard_name, verify_set
from mmtmix.models import FrozenTeacher
from mmtmix.utils import load_checkpoint

pytestmark = pytest.mark.host

SHARDS = [shard_name(number) for number in range(4)]


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope='module')
def whole(tmp_path_factory, make_cfg, forget_runs):
    """A set of 14 mixes in shards of 4, made in one go."""
    forget_runs()
    folder = tmp_path_factory.mktemp('whole') / 'set'
    generate(make_cfg(), folder, device='cpu')
    return folder


def columns(folder, *names):
    readers = [ShardReader(folder / name) for name in SHARDS]
    return [np.concatenate([reader.column(name) for reader in readers]) for name in names]


def test_cudnn_is_deterministic_while_it_mixes_and_then_as_it_was(make_cfg, tmp_path, monkeypatch):
    cudnn, seen = torch.backends.cudnn, []
    monkeypatch.setattr(cudnn, 'benchmark', True)
    before = cudnn.deterministic, cudnn.benchmark, cudnn.enabled, cudnn.allow_tf32
    original = LabelledAugment.__call__

    def look(self, *args):
        seen.append((cudnn.deterministic, cudnn.benchmark, cudnn.enabled, cudnn.allow_tf32))
        return original(self, *args)

    monkeypatch.setattr(LabelledAugment, '__call__', look)
    generate(make_cfg(num=4), tmp_path / 'set', device='cpu')
    assert set(seen) == {(True, False, *before[2:])}
    with pytest.raises(TypeError, match="generation has no 'unknown'; it has"):
        generate(make_cfg(unknown=1), tmp_path / 'other', device='cpu')
    assert (cudnn.deterministic, cudnn.benchmark, cudnn.enabled, cudnn.allow_tf32) == before


def test_a_set_is_complete_and_good(whole):
    assert sorted(content(whole)) == ['dataset.json', 'settings.json', *SHARDS]
    assert verify_set(whole) == []
    described = json.loads((whole / 'dataset.json').read_text())
    assert (described['num'], described['shards']) == (14, [4, 4, 4, 2])
    assert described['classes'] == list(FashionMNISTIdx.METAINFO['classes'])
    assert (described['num_classes'], described['num_mix']) == (10, 2)
    assert described['channel_order'] == 'rgb'
    assert described['settings']['num_sources'] == 64
    statistics = described['statistics']
    assert statistics['drawn'] >= statistics['finished'] >= 14
    assert statistics['drawn'] % 8 == 0
    (iterations,) = columns(whole, 'iterations')
    # masks start from saliency, so those that need no step are no averages either
    assert (iterations == 0).any() and statistics['averages'] == 0


def test_with_a_least_step_no_mix_is_a_plain_average(make_cfg, fitted_teacher, tmp_path):
    mixer = dict(type='SuperMix', teacher=fitted_teacher, max_iters=5, min_iters=1)
    generate(make_cfg(mixer), tmp_path, device='cpu')
    (iterations,) = columns(tmp_path, 'iterations')
    assert (iterations >= 1).all()
    statistics = json.loads((tmp_path / 'dataset.json').read_text())['statistics']
    assert statistics['averages'] == 0


def test_mixes_are_of_the_uncropped_images_and_the_teachers_labels(whole, fitted_teacher):
    dataset = MixedImages(str(whole), labels='soft_teacher')
    images = torch.stack([torch.from_numpy(dataset[i]['img']) for i in range(14)])[:, None]
    sources, flips, targets, finished = columns(whole, 'sources', 'flips', 'targets', 'finished')
    assert finished.all()
    teacher = FrozenTeacher(**fitted_teacher)
    with torch.no_grad():
        expected = teacher((images.float() - 72.94) / 90.02).softmax(dim=1)
    np.testing.assert_allclose(targets, expected, atol=0.05)  # of whole grey levels
    clean = FashionMNISTIdx(indices=64, serialize_data=False)
    for image, row, flipped in zip(images[:, 0].numpy(), sources, flips, strict=True):
        pair = [clean[i]['img'][:, :: -1 if f else 1] for i, f in zip(row, flipped, strict=True)]
        assert (image >= np.minimum(*pair)).all() and (image <= np.maximum(*pair)).all()


def test_a_set_of_an_older_version_is_completed_in_its_format(whole, make_cfg, tmp_path):
    path = Path(shutil.copy(whole / 'settings.json', tmp_path))
    settings = json.loads(path.read_text())
    assert settings.pop('raw_bytes')
    path.write_text(json.dumps(settings))
    generate(make_cfg(), tmp_path, device='cpu')
    described = json.loads((tmp_path / 'dataset.json').read_text())
    assert described['format'] == 1 and 'encoding' not in described
    assert verify_set(tmp_path) == []
    old, new = MixedImages(tmp_path), MixedImages(whole)
    assert (old.mixed_set.locate(0)[0].format, new.mixed_set.locate(0)[0].format) == (1, 2)
    for left, right in zip(old, new, strict=True):
        assert np.array_equal(left['img'], right['img'])
    assert columns(tmp_path, 'sources')[0].tolist() == columns(whole, 'sources')[0].tolist()


def test_what_is_lost_is_made_again_the_same(whole, make_cfg, tmp_path, monkeypatch):
    folder = tmp_path / 'set'
    shutil.copytree(whole, folder)
    for name in ('dataset.json', SHARDS[0], SHARDS[2]):
        (folder / name).unlink()
    (folder / f'.{SHARDS[2]}'.replace('.safe', '.x1.safe')).write_bytes(b'half')
    kept = {name: (folder / name).stat().st_mtime_ns for name in (SHARDS[1], SHARDS[3])}
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 (whatever the process drew before)
    generate(make_cfg(), folder, device='cpu')
    assert content(folder) == content(whole)
    assert kept == {name: (folder / name).stat().st_mtime_ns for name in kept}
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    generate(make_cfg(), folder, device='cpu')
    assert before == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_loader_workers_make_the_same_set(whole, make_cfg, tmp_path):
    cfg = make_cfg()
    cfg.train_dataloader.num_workers = 2
    generate(cfg, tmp_path, device='cpu')
    assert content(tmp_path) == content(whole)


def test_another_seed_is_another_set(whole, make_cfg, tmp_path):
    generate(make_cfg(seed=1, num=4), tmp_path, device='cpu')
    assert content(tmp_path)[SHARDS[0]] != content(whole)[SHARDS[0]]
    with pytest.raises(ValueError, match='seed: 0 there, 1 now'):
        generate(make_cfg(seed=1), whole, device='cpu')


@pytest.mark.parametrize('kind', ['SampleMixup', 'SampleCutMix'])
def test_blind_mixers_are_labelled_by_the_given_teacher(make_cfg, fitted_teacher, tmp_path, kind):
    cfg = make_cfg(dict(type=kind, num_mix=3), teacher=fitted_teacher)
    generate(cfg, tmp_path, device='cpu')
    assert verify_set(tmp_path) == []
    dataset = MixedImages(str(tmp_path))
    images = torch.stack([torch.from_numpy(dataset[i]['img']) for i in range(14)])[:, None]
    with torch.no_grad():
        logits = FrozenTeacher(**fitted_teacher)((images.float() - 72.94) / 90.02)
    targets, classes, sources = columns(tmp_path, 'targets', 'classes', 'sources')
    np.testing.assert_allclose(targets, logits.softmax(dim=1), atol=0.05)
    labels = FashionMNISTIdx(indices=64).get_gt_labels()
    assert np.array_equal(classes, labels[sources])
    statistics = json.loads((tmp_path / 'dataset.json').read_text())['statistics']
    assert (statistics['drawn'], statistics['iterations']) == (32, 0)  # all of them kept


def test_resampling_draws_no_class_twice(make_cfg, fitted_teacher, tmp_path):
    mixer = dict(type='SuperMix', teacher=fitted_teacher, max_iters=1, repeats='resample')
    generate(make_cfg(mixer, num=40, shard_size=10, keep='all'), tmp_path, device='cpu')
    (sources,) = columns(tmp_path, 'sources')
    labels = FashionMNISTIdx(indices=64).get_gt_labels()[sources]
    assert (labels[:, 0] != labels[:, 1]).all()
    (finished,) = columns(tmp_path, 'finished')
    assert not finished.all()


def test_sets_that_cannot_be_drawn_leave_the_folder_free(make_cfg, fitted_teacher, tmp_path):
    mixer = dict(type='SuperMix', teacher=fitted_teacher, num_mix=11, repeats='resample')
    with pytest.raises(ValueError, match='num_mix=11'):
        generate(make_cfg(mixer), tmp_path / 'set', device='cpu')
    assert not (tmp_path / 'set').exists()


@pytest.mark.parametrize('kind', ['SuperMix', 'SampleMixup'])
def test_a_teacher_of_other_classes_is_refused_before_anything_is_written(
    make_cfg, teacher_args, tmp_path, kind
):
    teacher = teacher_args(num_classes=7, in_channels=1)
    if kind == 'SuperMix':
        cfg = make_cfg(dict(type=kind, teacher=teacher))
    else:
        cfg = make_cfg(dict(type=kind), teacher=teacher)
    with pytest.raises(ValueError, match='has 7 classes and the data set has 10'):
        generate(cfg, tmp_path / 'set', device='cpu')
    assert not (tmp_path / 'set').exists()


@pytest.mark.parametrize(
    'augment',
    [
        dict(type='CoMixup'),
        dict(type='ChooseAugment', augments=[dict(type='FMix')], probs=[0.5]),
    ],
)
def test_an_augment_that_chooses_its_images_is_refused(make_cfg, tmp_path, augment):
    with pytest.raises(ValueError, match=f'{augment["type"]} itself chooses.*such as SuperMix'):
        generate(make_cfg(augment), tmp_path / 'set', device='cpu')
    assert not (tmp_path / 'set').exists()


def test_a_blind_mixer_without_a_teacher_is_refused(make_cfg, tmp_path):
    with pytest.raises(ValueError, match='no teacher'):
        generate(make_cfg(dict(type='SampleMixup')), tmp_path / 'set', device='cpu')
    assert not (tmp_path / 'set').exists()


def test_another_teacher_is_another_set(make_cfg, fitted_teacher, whole, tmp_path):
    state = load_checkpoint(fitted_teacher['checkpoint'])
    torch.save(state, tmp_path / 'other.pth')
    mixer = dict(type='SuperMix', max_iters=5)
    mixer['teacher'] = fitted_teacher | dict(checkpoint=str(tmp_path / 'other.pth'))
    with pytest.raises(ValueError, match=r'mixer\.teacher\.checkpoint: .*fitted.* there'):
        generate(make_cfg(mixer), whole, device='cpu')


@pytest.mark.parametrize(
    ('fields', 'message'),
    [
        (dict(number=3), "generation has no 'number'; did you mean 'num'"),
        (dict(num=None), 'num must be an integer'),
        (dict(keep='some'), 'keep must be one of'),
    ],
)
def test_wrong_fields_are_refused_by_name(make_cfg, fields, message):
    with pytest.raises((TypeError, ValueError), match=message):
        read_settings(make_cfg(**fields))


def test_the_number_of_images_is_needed(make_cfg):
    cfg = make_cfg()
    for generation in (dict(seed=1), dict(), None):
        cfg.generation = generation
        with pytest.raises(ValueError, match='generation needs num, .* give --num'):
            read_settings(cfg)


def test_settings_options_and_defaults_are_told_apart(make_cfg):
    settings, options = read_settings(make_cfg(pipeline=[dict(type='PackInputs')]))
    assert (settings.num, settings.keep, settings.flip_prob) == (14, 'finished', 0.5)
    assert options == dict(pipeline=[dict(type='PackInputs')], teacher=None)


def test_more_images_per_mix_than_classes_are_refused_before_the_folder_is_made(
    make_cfg, fitted_teacher, tmp_path
):
    cfg = make_cfg(dict(type='SuperMix', teacher=fitted_teacher, num_mix=11))
    with pytest.raises(ValueError, match='num_mix=11 images per mix, and the task has 10 classes'):
        generate(cfg, tmp_path / 'set', device='cpu')
    assert not (tmp_path / 'set').exists()
