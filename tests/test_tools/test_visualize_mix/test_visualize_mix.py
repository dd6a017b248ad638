"""tools/visualize_mix.py, on real images: the bundled Fashion-MNIST and PNG files."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmtmix.datasets import FashionMNISTIdx, Glyphs
from mmtmix.models import Draw, FrozenTeacher


@pytest.mark.host
def test_panel_of_given_training_images_without_random_crops(config, run, assert_shows):
    cells, texts = run(config(), '--indices', '0', '3', '17', '4')
    assert len(cells) == 2 * 9
    data = FashionMNISTIdx(split='train')
    for cell, image in zip((0, 1, 9, 10), (0, 3, 17, 4), strict=True):
        assert_shows(cells[cell][0], data[image]['img'])
    for row in (0, 9):
        warped, masks = ([cells[row + c][0] for c in columns] for columns in ((4, 5), (6, 7)))
        np.testing.assert_allclose(masks[0] + masks[1], 1, atol=1e-5)
        blend = masks[0] * warped[0] + masks[1] * warped[1]
        inside = (blend > 0.01) & (blend < 0.99)  # pictures are clipped
        np.testing.assert_allclose(cells[row + 8][0][inside], blend[inside], atol=1e-3)
    classes = data.metainfo['classes']
    labels = [text for text in texts if text.startswith('λ₁')]
    for label, pair in zip(labels, ((0, 3), (17, 4)), strict=True):
        for line, image in zip(label.splitlines(), pair, strict=True):
            assert line.endswith(classes[data[image]['gt_label']])
            assert 0 <= float(line.split()[2]) <= 1


def test_teacher_sees_images_in_its_own_normalisation(config, run, teacher_args):
    cells, _ = run(config(), '--indices', '0', '3')
    data = FashionMNISTIdx(split='train')
    images = torch.stack([torch.tensor(data[i]['img'])[None].float() for i in (0, 3)])
    labels = torch.tensor([data[i]['gt_label'] for i in (0, 3)])
    teacher = FrozenTeacher(**teacher_args(in_channels=1))  # takes inputs in its own way
    _, saliency = teacher.saliency((images - 120) / 60, labels, 18)
    for j, heat in enumerate(saliency[:, 0]):
        heat = (heat - heat.min()) / (heat.max() - heat.min())
        np.testing.assert_allclose(cells[2 + j][1], heat, atol=1e-4)


def test_drawn_images_are_of_different_classes_and_the_seed_s(config, run):
    path = config(num_mix=3)
    first, texts = run(path, '--num', '5')
    assert len(first) == 5 * 13
    for label in (text for text in texts if text.startswith('λ₁')):
        names = [line.split(maxsplit=3)[3] for line in label.splitlines()]
        assert len(set(names)) == 3
    again, same_texts = run(path, '--num', '5')
    assert texts == same_texts
    np.testing.assert_array_equal(first[12][0], again[12][0])
    assert run(path, '--num', '5', '--seed', '1')[1] != texts


def test_val_split_columns_and_overrides(config, run, assert_shows):
    options = ['--cfg-options', 'data_preprocessor.std=[10]', '--layout', 'columns']
    cells, texts = run(config(), '--split', 'val', '--indices', '5', '8', '1', '2', *options)
    data = FashionMNISTIdx(split='test')
    for cell, image in zip((0, 1, 2, 3), (5, 1, 8, 2), strict=True):
        assert_shows(cells[cell][0], data[image]['img'])
    assert {'Input 1', 'Mix'} <= set(texts)


def test_lambda_sweep_shows_direct_mixes_of_the_same_images(config, run, tool, assert_shows):
    path = config()
    cells, texts = run(path, '--lam-sweep', '--indices', '0', '3', '--seed', '4')
    assert len(cells) == 2 + 9
    assert [f'0.{step}' for step in range(1, 10)] == [t for t in texts if t.startswith('0.')]
    cfg = Config.fromfile(path, import_custom_modules=False)
    mixer = tool.build_augment(cfg)
    images = tool.load_images(cfg, 2, indices=[0, 3])
    mixed, _ = mixer.mix(
        images.inputs,
        images.scores,
        Draw(
            torch.full((2, 2), 0.5),
            torch.tensor([[0, 1], [1, 0]]),
            torch.Generator().manual_seed(4),
        ),
    )
    pixels = (mixed[0, 0] * 90.02 + 72.94).clamp(0, 255)
    assert_shows(cells[2 + 4][0], pixels.numpy())


def test_temperature_sweep_marks_the_learned_one(config, run):
    cells, texts = run(config(), '--temperature-sweep', '--num', '2')
    assert len(cells) == 2 * 2 * (2 + 7)
    assert 'learned\n1' in texts
    assert sum(text.startswith('λ₁ = 0.50') for text in texts) == 2


@pytest.mark.host
@pytest.mark.parametrize('kind', ['Mixup', 'CutMix', 'ResizeMix'])
def test_augments_of_mmpretrain(config, run, kind):
    augments = dict(type=kind, alpha=1.0)
    train_cfg = {'model.train_cfg': dict(augments=augments, _delete_=True)}
    cells, texts = run(config(**train_cfg), '--num', '3')
    columns = 7 if kind == 'ResizeMix' else 5  # it shrinks the second image, which is drawn, too
    assert len(cells) == 3 * columns
    labels = [text.splitlines() for text in texts if text.startswith('λ₁')]
    for row, label in enumerate(labels):
        pictures = [cell[0] for cell in cells[columns * row : columns * (row + 1)]]
        first, second, *masks, mixed = pictures[columns - 5 :]
        shares = [float(line.split()[2]) for line in label]
        # a weight of the batch is the area of the mask
        np.testing.assert_allclose([mask.mean() for mask in masks], shares, atol=0.01)
        np.testing.assert_allclose(masks[0] * first + masks[1] * second, mixed, atol=1e-4)


def test_first_mixer_of_a_list_wherever_it_stands(config, run, tool):
    path = config()
    augment = Config.fromfile(path, import_custom_modules=False).model.train_cfg.augments
    augments = [dict(type='Mixup', alpha=1.0), augment]
    run(config(**{'model.train_cfg.augments': augments}), '--num', '1')
    in_preprocessor = {
        'model.train_cfg': None,
        'data_preprocessor.batch_augments': dict(augments=augments),
    }
    run(config(**in_preprocessor), '--num', '1')


def test_colour_files_are_shown_in_their_colours(
    tmp_path, config, run, teacher_args, assert_shows
):
    picture = np.arange(20 * 28 * 3, dtype=np.uint8).reshape(20, 28, 3)
    for name in 'ab':
        (tmp_path / 'images' / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / 'images' / name / '0.png'), picture[..., ::-1])  # takes BGR
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    dataset = dict(
        type='CustomDataset', data_root=str(tmp_path / 'images'), pipeline=pipeline, _delete_=True
    )
    path = config(
        **{
            'model.train_cfg.augments.teacher': dict(teacher_args(), channel_order='rgb'),
            'data_preprocessor': dict(num_classes=10, mean=[99], std=[9], _delete_=True),
            'train_dataloader.dataset': dataset,
            'val_dataloader.dataset': dataset,
        }
    )
    cells, _ = run(path, '--indices', '0', '1')
    assert_shows(cells[0][0], picture)
    cells, _ = run(path, '--indices', '0', '1', '--channel-order', 'rgb')
    assert_shows(cells[0][0], picture[..., ::-1])


@pytest.mark.parametrize(
    ('changes', 'options', 'error', 'message'),
    [
        ({'model.train_cfg': None}, (), ValueError, 'model.train_cfg.*such as'),
        (
            {'model.train_cfg': dict(augments=dict(type='Mixup', alpha=1.0), _delete_=True)},
            ('--lam-sweep',),
            ValueError,
            "Mixup of MMPretrain draws its shares itself.*'SampleMixup'",
        ),
        (
            {'model.train_cfg.augments.mixer': 'nowhere/mixer.pth'},
            (),
            FileNotFoundError,
            'nowhere/mixer.pth.*mmtmix train',
        ),
        (
            {'model.train_cfg.augments.teacher.checkpoint': 'nowhere/last.pth'},
            (),
            FileNotFoundError,
            'teacher.*nowhere/last.pth',
        ),
        ({'train_dataloader.dataset.data_root': 'nowhere'}, (), FileNotFoundError, 'nowhere'),
        ({'train_dataloader': None}, (), ValueError, 'needs a train_dataloader'),
        ({'val_dataloader': None}, (), ValueError, 'val_dataloader or test_dataloader'),
        ({}, ('--indices', '1', '2', '3'), ValueError, 'groups of 2 from 0 to 4999'),
        ({}, ('--indices', '1', '5000'), ValueError, 'groups of 2 from 0 to 4999'),
        ({}, ('--num', '2501'), ValueError, 'num=2501 groups of 2'),
        ({}, ('--num', '0'), ValueError, '--num must be an integer >= 1, got 0'),
    ],
)
def test_errors_name_the_trouble_and_write_nothing(
    config, run, tmp_path, changes, options, error, message
):
    with pytest.raises(error, match=message):
        run(config(**changes), *options)
    assert not (tmp_path / 'out').exists()


def test_picture_of_unknown_format_stops_before_the_work(tool):
    with pytest.raises(ValueError, match='mix.xyz'):
        tool.main(['nowhere.py', '--out', 'mix.xyz'])


def test_true_masks_of_a_data_set_are_drawn(run):
    variants = ['--variant', 'MIX=paste', 'SEE=true', 'LABELS=true']
    given = ['--indices', '3', '5', '8', '13', *variants]
    cells, texts = run('configs/glyphs/mixed.py', *given)
    assert 'True mask' in texts
    data = Glyphs(
        split='train', num_images=1000, num_classes=50, object_size=(0.5, 0.8), clutter=3
    )
    shown = [cells[row + column][1] for row in (0, 9) for column in (2, 3)]
    for heat, image in zip(shown, (3, 5, 8, 13), strict=True):
        np.testing.assert_array_equal(heat, data[image]['gt_mask'])
