"""Pictures of mixes in real runs, which stay what they are."""

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import VISBACKENDS
from mmengine.visualization import BaseVisBackend

from mmtmix.engine import mix_pictures
from mmtmix.engine.hooks import MixVisualizationHook
from mmtmix.engine.hooks import mix_visualization_hook as module
from mmtmix.models import TransformMixer, mix_watch
from mmtmix.models.mixers import save_mixer
from mmtmix.utils import unwrap

pytestmark = pytest.mark.host

OFF = {'default_hooks.mix_visualization': None, 'default_hooks.mix_log': None}
HOOK = 'default_hooks.mix_visualization'
CUTMIX = [dict(type='CutMix', alpha=1.0)]
SEVERAL = dict(
    augments=[
        dict(type='CutMix', alpha=1.0),
        dict(type='SampleCutMix'),
        dict(type='ResizeMix', alpha=1.0),
    ],
    probs=[0.3, 0.3, 0.3],
)


@VISBACKENDS.register_module(force=True)
class Broken(BaseVisBackend):
    """A service that answers nothing, and counts how often it is called."""

    calls = 0

    def __init__(self, save_dir=None):
        super().__init__(save_dir)

    def _init_env(self):
        pass

    @property
    def experiment(self):
        return self

    def add_image(self, *args, **kwargs):
        Broken.calls += 1
        raise ConnectionError('no such host')


class Titles(Hook):
    """Keeps the titles of the blocks and columns that are drawn."""

    def __init__(self, monkeypatch):
        self.blocks = []
        draw = module.draw_blocks

        def watched(blocks, heading):
            self.blocks.append(blocks)
            return draw(blocks, heading)

        monkeypatch.setattr(module, 'draw_blocks', watched)


def pictures(folder: Path) -> dict[int, np.ndarray]:
    files = folder.glob('*/vis_data/vis_image/mixes_*.png')
    return {int(file.stem.removeprefix('mixes_')): cv2.imread(str(file)) for file in files}


def state(runner):
    values = dict(unwrap(runner.model).state_dict())
    for number, one in enumerate(runner.optim_wrapper.optimizer.state.values()):
        values |= {f'{number}.{name}': value for name, value in one.items()}
    return {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def test_a_run_with_pictures_has_the_weights_of_one_without(method_runner, tmp_path):
    found = []
    for folder, options in (('with', {f'{HOOK}.most_share': 1.0}), ('without', OFF)):
        runner = method_runner(
            'cutmix', folder, epochs=3, **{'model.train_cfg': dict(SEVERAL), **options}
        )
        runner.train()
        found.append((state(runner), torch.rand(3), np.random.rand(3)))  # noqa: NPY002
    (weights, *drawn), (others, *drawn_without) = found
    assert same(weights, others)
    assert all(map(np.array_equal, drawn, drawn_without))
    shown = pictures(tmp_path / 'with')
    assert len(shown) == 3 and not pictures(tmp_path / 'without')
    assert all(picture.std() > 20 for picture in shown.values())
    assert not mix_watch.is_watched()


@pytest.mark.parametrize('kind', ['TransformMix', 'SuperMix'])
def test_mixing_by_a_teacher_is_drawn_and_gives_the_same_weights(
    method_runner, teacher_args, tmp_path, monkeypatch, kind
):
    titles, found = Titles(monkeypatch), []
    augment = dict(type=kind, teacher=teacher_args(in_channels=1))
    if kind == 'TransformMix':
        mixer = TransformMixer(cam_size=18)
        torch.nn.init.normal_(mixer.stn.fc.weight, std=0.1)
        save_mixer(mixer, tmp_path / 'mixer.pth')
        augment['mixer'] = str(tmp_path / 'mixer.pth')
    else:
        augment['max_iters'] = 3
    for folder, options in (('with', {}), ('without', OFF)):
        mixing = dict(augments=[dict(augment)], probs=None)
        runner = method_runner('cutmix', folder, **{'model.train_cfg': mixing, **options})
        runner.train()
        found.append(state(runner) | {'drawn next': torch.rand(3)})
    assert same(*found)
    ((block,),) = titles.blocks
    assert block.title == kind and {'Input', 'Mask', 'Mix'} <= block.columns.keys()


def test_a_search_is_drawn_and_finds_the_same_module(search_runner, tmp_path, monkeypatch):
    titles, found = Titles(monkeypatch), []
    for folder, options in (('with', {}), ('without', OFF)):
        runner = search_runner(tmp_path / folder, **options)
        runner.train()
        found.append(state(runner))
    assert same(*found)
    assert set(pictures(tmp_path / 'with')) == {1, 3}
    (block,) = titles.blocks[0]
    assert block.title == 'Search' and block.heat is not None
    assert [*block.columns] == ['Input', 'CAM', 'Transformed', 'Mask', 'Mix']


def test_what_is_drawn_is_what_the_network_learns_from(method_runner, monkeypatch):
    titles, seen = Titles(monkeypatch), []
    runner = method_runner('cutmix', **{'model.train_cfg': dict(augments=CUTMIX, probs=None)})
    runner.model.backbone.register_forward_pre_hook(lambda net, args: seen.append(args[0].clone()))
    runner.train()
    (block,) = titles.blocks[0]
    mean, std = (runner.model.data_preprocessor.get_buffer(name) for name in ('mean', 'std'))
    learned = ((seen[0] * std + mean) / 255)[list(block.rows), 0].clamp(0, 1)
    np.testing.assert_allclose(block.columns['Mix'][:, 0], learned.numpy(), atol=1e-5)
    # the places of an image that is its own partner are blank
    mixed = [row for row, lines in enumerate(block.labels) if len(lines) == 2]
    assert mixed
    explained = (block.columns['Input'] * block.columns['Mask']).sum(axis=1)[mixed]
    np.testing.assert_allclose(block.columns['Mix'][mixed, 0], explained, atol=1e-5)


@pytest.mark.parametrize(
    ('method', 'title', 'columns'),
    [
        ('automix', 'AutoMix', ['Input', 'Mask', 'Mix']),
        ('manifold_mixup', 'ManifoldMixup', None),
    ],
)
def test_mixing_inside_the_network_is_drawn_as_far_as_images_show_it(
    method_runner, monkeypatch, method, title, columns
):
    titles = Titles(monkeypatch)
    method_runner(method).train()
    (block,) = titles.blocks[0]
    assert block.title == title
    if columns is None:
        layer = block.labels[0][-1]
        columns = ['Input', 'Mask', 'Mix'] if layer == 'at input' else ['Input']
    assert [*block.columns] == columns


def test_several_mixes_per_image_are_drawn(method_runner, monkeypatch):
    titles = Titles(monkeypatch)
    runner = method_runner(
        'cutmix',
        **{
            'model.train_cfg': dict(augments=CUTMIX, probs=None),
            'data_preprocessor.type': 'RepeatMixPreprocessor',
            'data_preprocessor.num_classes': 10,
            'data_preprocessor.to_onehot': True,
        },
    )
    runner.train()
    assert [block.title for block in titles.blocks[0]] == ['CutMix', 'CutMix']
    assert [len(block.labels) for block in titles.blocks[0]] == [2, 2]


def test_without_a_mix_one_line_says_so(method_runner, tmp_path, caplog):
    runner = method_runner('simple', epochs=2)
    with caplog.at_level(logging.INFO, 'mmengine'):
        runner.logger.setLevel(logging.INFO)
        runner.logger.addHandler(caplog.handler)
        runner.train()
    lines = [one for one in caplog.messages if 'no images are mixed so far' in one]
    assert len(lines) == 1 and not pictures(tmp_path / 'run')


def test_a_failed_backend_is_named_once_and_the_others_get_the_pictures(
    method_runner, tmp_path, caplog
):
    Broken.calls = 0
    backends = [dict(type='Broken'), dict(type='LocalVisBackend')]
    runner = method_runner(
        'cutmix',
        epochs=2,
        **{
            'model.train_cfg': dict(augments=CUTMIX, probs=None),
            'visualizer.vis_backends': backends,
            f'{HOOK}.most_share': 1.0,
        },
    )
    runner.logger.setLevel(logging.WARNING)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert sum('Broken did not take a picture' in one for one in caplog.messages) == 1
    assert Broken.calls == 1 and set(pictures(tmp_path / 'run')) == {1, 3}


def test_a_picture_that_fails_ends_no_run(method_runner, tmp_path, caplog, monkeypatch):
    def fail(blocks, heading):
        raise OSError('no space left')

    monkeypatch.setattr(module, 'draw_blocks', fail)
    options = {'model.train_cfg': dict(augments=CUTMIX, probs=None)}
    runner = method_runner('cutmix', epochs=2, **options)
    runner.logger.setLevel(logging.WARNING)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert sum('could not draw the mixes' in one for one in caplog.messages) == 1
    assert runner.iter == 4 and not pictures(tmp_path / 'run')


def test_only_the_main_process_watches(method_runner, tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'is_main_process', lambda: False)
    options = {'model.train_cfg': dict(augments=CUTMIX, probs=None)}
    method_runner('cutmix', **options).train()
    assert not pictures(tmp_path / 'run')


def test_a_step_that_fails_leaves_no_watcher(method_runner):
    class Fail(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            raise KeyboardInterrupt

    options = {'model.train_cfg': dict(augments=CUTMIX, probs=None)}
    runner = method_runner('cutmix', hooks=(Fail(),), **options)
    kept = runner.model.data_preprocessor.batch_augments.augments[0]
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    hook = next(one for one in runner.hooks if isinstance(one, MixVisualizationHook))
    assert mix_watch.is_watched()
    hook.cleanup.close()
    assert not mix_watch.is_watched()
    assert runner.model.data_preprocessor.batch_augments.augments[0] is kept


class Clock:
    """A clock of which every reading takes a second."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        self.now += 1.0
        return self.now


def test_pictures_keep_to_their_share_of_the_time_and_the_last_epoch_has_one(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, 'time', clock)
    hook = MixVisualizationHook(most_share=0.01)
    hook._start, hook._spent, hook._count, hook._is_off = 0.0, 0.0, 0, False
    drawn = []
    for epoch in range(101):
        hook._is_due = False
        hook._plan(True, epoch == 100)
        clock.now += 10  # of training
        if hook._is_due:
            drawn.append(epoch)
            hook._count, hook._spent = hook._count + 1, hook._spent + 2.0
    assert drawn[0] == 0 and drawn[-1] == 100
    gaps = np.diff(drawn[:-1])
    assert len(drawn) == 7 and (gaps >= 17).all()  # 2 s of each 200 s, at 11 s per epoch


@pytest.mark.parametrize(
    ('argument', 'value'),
    [('interval', 0), ('iterations', 0), ('num', 0), ('most_share', 1.5), ('most_share', 'few')],
)
def test_bad_arguments_are_named(argument, value):
    with pytest.raises((ValueError, TypeError), match=argument):
        MixVisualizationHook(**{argument: value})


def test_the_picture_is_small_and_texts_fit():
    names = mix_pictures.ClassNames(
        [f'<b>Überaus langer Name</b> "{n}" of a class' for n in range(200)]
    )
    images = torch.rand(6, 3, 224, 300) * 255
    scores = torch.eye(200)[torch.arange(6) * 30]
    capture = mix_pictures.MixCapture(4, module.InputStats(), 'rgb', names)
    augment = module_augment(CUTMIX[0])
    with capture.watching([augment]):
        augment[0](images, scores)
    (block,) = capture.taken()
    picture = mix_pictures.draw_blocks([block], 'Mixes of iteration 1')
    assert picture.dtype == np.uint8 and picture.shape[0] < 400 and picture.shape[1] < 700
    assert block.labels[0][0].endswith('"0" of a class')
    # the names are cut at 238 pixels, and the frames of the images begin at 253
    assert (picture[54:, 239:253] == 255).all() and (picture[54:, 253] < 255).any()
    assert len(cv2.imencode('.png', picture)[1]) < 300_000


def module_augment(config):
    from mmpretrain.registry import BATCH_AUGMENTS

    return [BATCH_AUGMENTS.build(dict(config))]


def test_runs_by_iterations_in_mixed_precision_are_drawn_and_so_is_their_resume(
    method_runner, tmp_path
):
    options = {
        'model.train_cfg': dict(augments=CUTMIX, probs=None),
        'train_cfg.by_epoch': False,
        'train_cfg.max_epochs': None,
        'train_cfg.val_interval': 10,
        'optim_wrapper.type': 'AutocastOptimWrapper',
        'optim_wrapper.dtype': 'bfloat16',
        'optim_wrapper.accumulative_counts': 2,
        'default_hooks.checkpoint': dict(by_epoch=False, interval=1),
        HOOK: dict(iterations=2, most_share=1.0),
    }
    for length, steps in ((4, {1, 3, 4}), (6, {1, 3, 4, 5, 6})):
        runner = method_runner('cutmix', **options, resume=length > 4)
        loop = runner._train_loop  # a config, from which this run builds its loop
        loop.pop('max_epochs', None)
        loop['max_iters'] = length
        runner.train()
        assert set(pictures(tmp_path / 'run')) == steps
