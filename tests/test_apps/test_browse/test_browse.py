"""mmtmix browse: real pipelines, what the pictures show, and what the captions state."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.models import ClsDataPreprocessor
from PIL import Image

from mmtmix.apps.browse.notes import mixing_note
from mmtmix.cli import main
from mmtmix.cli.browse import CHANNEL_ORDERS
from mmtmix.models.teachers import channel_order

from .conftest import NAMES

pytestmark = pytest.mark.host

MINI = 'configs/cutmix/wrn16_fashionmnist_mini.py'
COLOURS = {name: number for number, name in enumerate(sorted(NAMES))}


def shown(figure):
    return [axes.images[0].get_array() for axes in figure.axes]


def labels_of(texts, figure):
    """The labels, which come after the notes and the title, in the order of the pictures."""
    return texts(figure)[-len(figure.axes) :]


def test_pictures_are_the_first_batch_of_a_training(tmp_path, monkeypatch, forget_runs, texts):
    size = 'train_dataloader.batch_size=8'
    options = ['--num', '8', '--seed', '3', '--device', 'cpu', '--cfg-options', size]
    words = [MINI, '--out', str(tmp_path / 'b.png'), *options, 'model.train_cfg.probs=[1.0]']
    (figure,) = main.call('browse', words)
    forget_runs()
    cfg = Config.fromfile(MINI)
    cfg.merge_from_dict({'model.train_cfg.probs': [1.0], 'train_dataloader.batch_size': 8})
    cfg.merge_from_dict(dict(work_dir=str(tmp_path / 'run'), randomness=dict(seed=3)))
    cfg.model.backbone.depth = 10
    seen = []

    class Stop(Exception):
        pass

    def spy(self, data, training=False, forward=ClsDataPreprocessor.forward):
        seen.append(forward(self, data, training))
        raise Stop

    monkeypatch.setattr(ClsDataPreprocessor, 'forward', spy)
    runner = Runner.from_cfg(cfg)
    with pytest.raises(Stop):
        runner.train()
    pixels = seen[0]['inputs'][:, 0] * 90.02 + 72.94
    np.testing.assert_allclose(shown(figure), (pixels / 255).clip(0, 1), atol=1e-5)
    assert 'Batch 1 of epoch 1: mixed by CutMix' in texts(figure)
    scores = torch.stack([sample.gt_score for sample in seen[0]['data_samples']])
    for label, score in zip(labels_of(texts, figure), scores, strict=True):
        assert len(label.splitlines()) == int((score > 0).sum())
        assert float(score.max()) == 1 or label.startswith(f'{float(score.max()):.2f} ')


def test_colours_and_labels_of_files(browse, texts, tmp_path):
    (figure,) = browse('--num', '12')
    for picture, label in zip(shown(figure), labels_of(texts, figure), strict=True):
        name = next(name for name in NAMES if name.startswith(label.rstrip('…')))
        assert int(picture[0, 0].argmax()) == COLOURS[name]  # red, green or blue
        np.testing.assert_allclose(sorted(picture[5, 7]), np.array([20, 20, 220]) / 255, atol=1e-6)
    notes = ' '.join(texts(figure))
    assert 'drawn as R, G, B; by data set, pipeline and to_rgb the network gets RGB.' in notes
    assert Image.open(tmp_path / 'batch.png').width > 800


def test_a_wrong_order_of_colours_is_seen_and_named(browse, texts):
    wrong = dict(data_preprocessor__to_rgb=False)
    (figure,) = browse('--num', '4', **wrong)
    (turned,) = browse('--num', '4', '--channel-order', 'bgr', **wrong)
    for picture, natural in zip(shown(figure), shown(turned), strict=True):
        np.testing.assert_array_equal(picture, natural[..., ::-1])
    assert 'the network gets BGR: red and blue are exchanged' in ' '.join(texts(figure))


@pytest.mark.parametrize(
    ('changes', 'alarm'),
    [
        (dict(data_preprocessor__std=[0.2, 0.2, 0.2]), 'Normalisation looks wrong'),
        (
            dict(data_preprocessor__mean=None, data_preprocessor__std=None),
            'Normalisation looks wrong',
        ),
        ({}, None),
    ],
)
def test_a_wrong_normalisation_is_named_in_red(browse, texts, changes, alarm):
    (figure,) = browse('--num', '4', **changes)
    red = [text.get_text() for text in figure.texts if text.get_color() != 'black']
    assert bool(red) == (alarm is not None)
    assert alarm is None or red[0].startswith(alarm)


def test_normalisation_in_pipeline_and_preprocessor(browse, texts):
    twice = [
        dict(type='LoadImageFromFile'),
        dict(type='mmcv.Normalize', mean=[120.0] * 3, std=[60.0] * 3, to_rgb=False),
        dict(type='PackInputs'),
    ]
    (figure,) = browse('--num', '4', train_dataloader__dataset__pipeline=twice)
    red = ' '.join(text.get_text() for text in figure.texts if text.get_color() != 'black')
    assert 'nearly black' in red or 'normalised twice' in red


def test_a_schedule_decides_what_mixes(browse, texts, tmp_path):
    schedule = [dict(action_epoch=2, batch_augments=dict(augments=dict(type='Mixup', alpha=1.0)))]
    changes = dict(
        custom_hooks=[dict(type='SwitchRecipeHook', schedule=schedule), dict(type='EMAHook')],
        model__train_cfg=dict(augments=dict(type='SampleCutMix')),
    )
    figures = browse('--num', '6', '--batches', '2', out='folder', **changes)
    assert [path.name for path in sorted((tmp_path / 'folder').iterdir())] == [
        'batch_1.png',
        'batch_2.png',
    ]
    assert all('mixed by SampleCutMix' in ' '.join(texts(figure)) for figure in figures)
    assert np.abs(np.subtract(shown(figures[0]), shown(figures[1]))).max() > 0
    (later,) = browse('--num', '6', '--epoch', '3', **changes)
    assert 'Batch 1 of epoch 3: mixed by Mixup' in texts(later)
    (plain,) = browse('--num', '6', '--no-mix', **changes)
    assert 'Batch 1 of epoch 1' in texts(plain) and 'Mixing: no batch augment.' in texts(plain)


def test_mixed_images_of_a_distillation(browse, texts, teacher_args):
    # without a network of its own: the teacher of the hook is a tiny one of three classes
    hook = dict(
        type='DistillHook',
        teacher=dict(teacher_args(num_classes=3), channel_order='rgb'),
        preset='kd_mixed',
        mixed=dict(augment=dict(type='SampleMixup')),
        mixed_cls='mixed',
    )
    (figure,) = browse('--num', '4', custom_hooks=[hook])
    assert len(figure.axes) == 8
    title = 'Batch 1 of epoch 1: mixed images of the distillation, with mixed labels'
    assert title in texts(figure)
    pictures = shown(figure)
    assert not np.allclose(pictures[:4], pictures[4:], atol=0.05)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--batches', '2'], '--batches 2 need a folder'),
        (['--epoch', '4'], r'--epoch must be .*3.*the training has 3 epoch'),
        (['--num', '0'], '--num must be'),
    ],
)
def test_refusals_name_the_argument(browse, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        browse(*options)
    assert not (tmp_path / 'batch.png').exists()


def test_what_trains_nothing_is_refused():
    with pytest.raises(ValueError, match=r'no training to draw .*mmtmix visualize mix'):
        main.call(
            'browse', ['configs/supermix/generate_wrn16_fashionmnist_mini.py', '--out', 'x.png']
        )
    assert not Path('x.png').exists()


def test_show_needs_a_display(monkeypatch, capsys, browse):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit, match='2'):
        main.parse('browse', ['config.py', '--out', 'x.png', '--show'])
    assert '--show needs a display' in capsys.readouterr().err
    opened = []
    monkeypatch.setattr(Image.Image, 'show', lambda self, title: opened.append(title))
    monkeypatch.setenv('DISPLAY', ':7')
    browse('--num', '2', '--show')
    assert opened == ['batch.png']


def test_choices_are_those_of_the_library():
    assert CHANNEL_ORDERS == channel_order.CHANNEL_ORDERS


@pytest.mark.parametrize(
    ('dataset', 'note'),
    [
        (dict(type='FashionMNISTIdx'), 'Mixing: no batch augment.'),
        (
            dict(type='ConcatDataset', datasets=[dict(type='MixedImages', data_root='a')]),
            'Mixing: no batch augment; the images of MixedImages were mixed before the run.',
        ),
    ],
)
def test_images_that_were_mixed_before_the_run_are_named(dataset, note):
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    assert mixing_note(cfg, SimpleNamespace(data_preprocessor=None), False) == note


@pytest.mark.parametrize(
    ('place', 'probs', 'is_told'),
    [(1, [0.5], True), (0, [0.5], False), (1, [1e-9], True), (1, [0.0], False)],
)
def test_it_is_told_that_no_batch_is_mixed_by_chance(
    browse, texts, monkeypatch, place, probs, is_told
):
    monkeypatch.setattr(np.random, 'choice', lambda *args, **kwargs: place)  # of MMPretrain
    mixing = dict(augments=dict(type='Mixup', alpha=1.0), probs=probs)
    (figure,) = browse(model__train_cfg=mixing)
    assert ('By chance none of these batches is mixed' in ' '.join(texts(figure))) == is_told
