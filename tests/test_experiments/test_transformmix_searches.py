"""TransformMix's searches, and the runs that use their modules."""

import os
import re
from functools import partial

import pytest
import torch
from mmengine.registry import DATA_SAMPLERS

from mmtmix.functional import draw_index
from mmtmix.models import MixerSearch
from mmtmix.utils import default_work_dir, load_config
from tests.test_experiments.reading import ROOT, head_of, load
from tests.test_experiments.transformmix import (
    ABLATIONS,
    CELLS,
    SEARCHES,
    TASKS,
    augment_of,
    build,
    check_keys,
    entry,
    load_cell,
)


@pytest.mark.parametrize('config', SEARCHES)
def test_search(config):
    cfg = load(config)
    optimizer = dict(type='SGD', lr=5e-4, momentum=0.9, weight_decay=0.01)
    assert cfg.optim_wrapper.optimizer == optimizer
    assert (cfg.train_cfg.type, cfg.train_cfg.max_epochs) == ('MixerSearchLoop', 100)
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 128
    assert cfg.train_dataloader.drop_last
    assert cfg.val_evaluator == cfg.test_evaluator == dict(type='MixQuality')
    assert 'param_scheduler' not in cfg
    check_keys(MixerSearch, cfg.model)
    teacher = load(cfg.model.teacher.config)
    named = cfg.model.teacher
    assert [dict(config=named.config, produces=named.checkpoint)] == cfg.requires
    assert teacher.data_preprocessor == cfg.data_preprocessor
    assert teacher.train_dataloader.dataset == cfg.train_dataloader.dataset
    mixer = build(cfg.model.mixer)
    side = dict(CIFAR10=32, CIFAR100=32).get(cfg.train_dataloader.dataset.type, 64)
    assert mixer.cam_size == side
    assert mixer.num_mix == (3 if config.endswith('_k3.py') else 2)
    # stated, since the defaults differ
    published = dict(noise_size=1, padding_mode='zeros', saliency_noise=0.0, mask_size=None)
    published |= dict(anchored=False, random_orientation=False)
    assert published.items() <= cfg.model.mixer.to_dict().items()
    assert head_of(config).startswith('TransformMix')
    assert re.search(r'Tables? \d|Figure 7|Table 10|section 4.1', head_of(config))


@pytest.mark.parametrize(
    'net', [task[1] for task in TASKS if task[0].startswith('configs/transformmix')]
)
def test_a_run_uses_the_module_of_its_search(net):
    for path in (ROOT / 'configs' / 'transformmix').glob(f'*{net}*.py'):
        if path.stem.startswith('search_') or path.stem.endswith('_mini'):
            continue
        cfg = load(f'configs/transformmix/{path.name}')
        augment, run = augment_of(cfg), cfg.requires[1]
        search = load(run.config)
        assert augment.mixer == run.produces
        folder = search.get('work_dir', default_work_dir(run.config))
        assert os.path.dirname(augment.mixer) == folder
        assert augment.num_mix == search.model.mixer.num_mix
        assert augment.alpha == search.model.alpha
        # a teacher of other classes can't look for the label's
        classes = load(augment.teacher.config).model.head.num_classes
        same = classes == cfg.model.head.num_classes
        assert augment.get('cam_class', 'target') == ('target' if same else 'predicted')


def test_quality_on_imagenet_is_of_shuffled_images():
    cfg = load_config('configs/transformmix/search_resnet50_imagenet.py')
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        labels = torch.arange(1000).repeat_interleave(50)  # as in folders
        build_sampler = partial(DATA_SAMPLERS.build, default_args=dict(dataset=labels, seed=7))
        orders = [list(build_sampler(loader.sampler)) for _ in range(2)]
        assert orders[0] == orders[1]
        assert sorted(orders[0]) == list(range(len(labels)))
        same = []
        for batch in labels[orders[0]].split(loader.batch_size):
            index = draw_index(len(batch), 2, torch.Generator().manual_seed(0))
            same += (batch[index[:, 0]] == batch[index[:, 1]]).tolist()
        assert sum(same) / len(same) < 0.003  # 17 % without


@pytest.mark.parametrize('ablation', ABLATIONS)
@pytest.mark.parametrize('net', ['resnet18_cifar10', 'wrn28_cifar100'])
def test_ablations_are_parts_of_the_same_module(net, ablation):
    variants = dict(ABLATION=ablation)
    config = f'configs/transformmix/search_ablation_{net}.py'
    needed = load_config(f'configs/transformmix/ablation_{net}.py', variants=variants).requires[1]
    assert needed.config == config
    assert os.path.dirname(needed.produces) == default_work_dir(config, variants)
    search = load_config(config, variants=variants)
    whole = load_config(f'configs/transformmix/search_{net}.py')
    mixer = build(search.model.mixer)
    assert (mixer.arch['transform'], mixer.arch['mask']) == ABLATIONS[ablation]
    assert {name for name, _ in mixer.named_parameters()} >= {'log_temperature'}
    search.model.mixer = whole.model.mixer
    for name in ('model', 'train_dataloader', 'optim_wrapper', 'train_cfg', 'requires'):
        assert search[name] == whole[name]


def test_sweeps_change_one_setting_each_and_share_their_middle():
    places, names = {}, dict(mask_layers='num_layers', mask_channels='channels')
    names |= dict(mask_kernel='kernel_size', alpha='alpha')
    for sweep, name in names.items():
        for point in CELLS[f'figure_7/{sweep}']:
            cfg, config = load_cell(f'figure_7/{sweep}', point)
            needed = cfg.requires[1]
            search = load_config(needed.config, variants=needed.get('variants'))
            settings = {**search.model.mixer, 'alpha': search.model.alpha}
            expected = dict(num_layers=3, channels=32, kernel_size=3, alpha=1.0) | {
                name: float(point)
            }
            assert {key: settings[key] for key in expected} == expected
            assert augment_of(cfg).alpha == expected['alpha']
            variants = entry(f'figure_7/{sweep}', point).get('variants')
            folder = os.path.dirname(needed.produces)
            assert folder == default_work_dir(needed.config, variants)
            places.setdefault(default_work_dir(config, variants), []).append(sweep)
    assert len(places) == 3 + 4 + 3 + 6 - 3
    assert sorted(map(len, places.values()))[-1] == 4
