"""The CIFAR-100 recipe: its chain in small on generated files, and one real step of it."""

import pickle
from pathlib import Path

import pytest
import torch
from mmpretrain.datasets import CIFAR100
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mmtmix.engine import stage_runs
from mmtmix.models import FrozenTeacher, TransformMixer, save_mixer
from mmtmix.models.teachers import frozen_teacher
from mmtmix.utils import load_checkpoint, load_config

ROOT = Path(__file__).resolve().parents[2]
JOB = 'configs/transformmix/wrn28_cifar100.py'
RECIPES = (
    'configs/simple/wrn28_cifar100.py',
    'configs/transformmix/search_wrn28_cifar100.py',
    JOB,
)
MIXER = Path('work_dirs/transformmix/search_wrn28_cifar100/mixer.pth')
SMALL = """
_base_ = {base!r}
train_dataloader = dict(batch_size=32, num_workers=0, dataset=dict(download=False))
val_dataloader = dict(batch_size=50, num_workers=0, dataset=dict(download=False))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=2, val_interval=1)
"""
SMALL_NETWORK = """
model = dict(backbone=dict(depth=10, widen_factor=1), head=dict(in_channels=64))
"""


@pytest.fixture(scope='module')
def write_chain():
    """Write configs of the recipe's own names, which therefore require each other."""

    def write(folder):
        for name in RECIPES:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            network = '' if 'search' in name else SMALL_NETWORK
            path.write_text(SMALL.format(base=str(ROOT / name)) + network)

    return write


@pytest.fixture(scope='module')
def trained(tmp_path_factory, write_chain, run_tool, cifar_files):
    """The whole chain on 160 images of 10 of the 100 classes."""
    folder = tmp_path_factory.mktemp('cifar100')
    write_chain(folder)
    files = dict(train=160, test=50)
    data = folder / 'data' / 'cifar100' / 'cifar-100-python'
    cifar_files(data, files, range(0, 100, 10), 'fine_labels')
    names = [f'class {i}' for i in range(100)]
    (data / 'meta').write_bytes(pickle.dumps(dict(fine_label_names=names), protocol=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CIFAR100, 'train_list', [['train', None]])
        patch.setattr(CIFAR100, 'test_list', [['test', None]])
        _, printed = run_tool('train', folder, JOB)
        metrics, _ = run_tool(
            'test', folder, JOB, 'work_dirs/transformmix/wrn28_cifar100/last.pth'
        )
    return folder, printed, metrics


def test_chain_runs_from_teacher_to_test(trained):
    folder, printed, metrics = trained
    assert printed.count(': started') == printed.count(': done') == 3
    for name in RECIPES:
        work_dir = folder / 'work_dirs' / Path(name).relative_to('configs').with_suffix('')
        assert (work_dir / 'last.pth').is_file()
    assert metrics.keys() == {'accuracy/top1', 'accuracy/top5'}
    state = load_checkpoint(folder / 'work_dirs/transformmix/wrn28_cifar100/last.pth')[
        'state_dict'
    ]
    assert state['head.fc.weight'].shape == (100, 64)


def test_mixer_says_that_it_was_searched_on_cifar100(trained):
    content = torch.load(trained[0] / MIXER, weights_only=True)
    assert content['searched_on']['dataset'] == 'CIFAR100'
    assert content['searched_on']['num_images'] == 160
    assert content['searched_on']['teacher_config'] == RECIPES[0]
    assert content['arch']['cam_size'] == 32


def test_missing_data_is_one_error_before_anything_is_built(
    tmp_path, write_chain, run_tool, monkeypatch
):
    def too_early(*args, **kwargs):
        raise AssertionError('built before the data was looked for')

    write_chain(tmp_path)
    monkeypatch.setattr(FrozenTeacher, '__init__', too_early)
    monkeypatch.setattr(frozen_teacher, 'build_classifier', too_early)
    monkeypatch.setattr(stage_runs, 'run_stages', too_early)
    with pytest.raises(FileNotFoundError) as error:
        run_tool('train', tmp_path, JOB)
    message = str(error.value)
    assert 'CIFAR100' in message
    assert str(tmp_path / 'data' / 'cifar100' / 'cifar-100-python') in message
    assert 'missing: train, test' in message
    assert 'what to do: Put the files there' in message
    assert all(f'{name}_dataloader' in message for name in ('train', 'val', 'test'))
    assert not (tmp_path / 'work_dirs').exists()


def test_real_network_takes_a_mixed_step(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = load_config(JOB)
    teacher = dict(cfg.model.train_cfg.augments.teacher)
    Path(teacher['checkpoint']).parent.mkdir(parents=True)
    MIXER.parent.mkdir(parents=True)
    torch.manual_seed(0)
    network = MODELS.build(dict(cfg.model, train_cfg=None, _scope_='mmpretrain'))
    network.init_weights()
    torch.save(dict(state_dict=network.state_dict()), teacher['checkpoint'])
    save_mixer(TransformMixer(num_mix=2, cam_size=32), MIXER)

    cfg.model.data_preprocessor = cfg.data_preprocessor
    model = MODELS.build(dict(cfg.model, _scope_='mmpretrain'))
    model.load_state_dict(network.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    samples = [DataSample().set_gt_label(label) for label in (3, 97)]
    data = model.data_preprocessor(dict(inputs=images, data_samples=samples), training=True)
    assert [int((sample.gt_score > 0).sum()) for sample in data['data_samples']] == [2, 2]
    loss = model(**data, mode='loss')['loss']
    loss.backward()
    optimizer.step()
    assert loss.isfinite() and loss > 0
    before, after = network.state_dict(), model.state_dict()
    moved = [n for n, _ in model.named_parameters() if not torch.equal(before[n], after[n])]
    # BN takes back what the bias before it adds, so only rounding moves that
    assert {n for n, _ in model.named_parameters()} - set(moved) <= {'backbone.conv1.bias'}
