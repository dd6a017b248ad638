"""tools/test.py: the metrics of a trained classifier, from its checkpoint alone."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import load
from mmpretrain.registry import HOOKS, MODELS
from mmpretrain.structures import DataSample

from mmtmix.apps.test.options import augment_tests, draw_predictions
from mmtmix.utils import load_config

DISTILL = Path(__file__).resolve().parents[2] / 'configs' / 'distill'
JOB = 'configs/transformmix/tiny.py'
CHECKPOINT = Path('work_dirs', 'transformmix', 'tiny', 'last.pth')


@pytest.fixture
def folder(tmp_path, main_job, write_job):
    """The classifier's checkpoint, and none of the files that it was trained with."""
    write_job(tmp_path)
    (tmp_path / CHECKPOINT).parent.mkdir(parents=True)
    shutil.copy(main_job[0] / CHECKPOINT, tmp_path / CHECKPOINT)
    return tmp_path


@pytest.fixture
def last_validation(main_job):
    """What training said after its last epoch."""
    (path,) = (main_job[0] / CHECKPOINT.parent).glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line['accuracy/top1'] for line in lines if 'accuracy/top1' in line][-1]


@pytest.mark.host
def test_accuracy_is_that_of_the_last_validation(folder, run_tool, last_validation):
    metrics, _ = run_tool('test', folder, JOB, CHECKPOINT, '--out', 'out/metrics.json')
    assert metrics == {'accuracy/top1': last_validation}
    assert json.loads((folder / 'out' / 'metrics.json').read_text()) == metrics


def test_predictions_are_written_one_an_image(folder, run_tool, last_validation):
    arguments = ('--out', 'pred.pkl', '--out-item', 'pred', '--work-dir', 'logs')
    run_tool('test', folder, JOB, CHECKPOINT, *arguments)
    predictions = load(folder / 'pred.pkl')
    assert len(predictions) == 128
    hits = [float(item['pred_label'] == item['gt_label']) for item in predictions]
    assert 100 * sum(hits) / len(hits) == pytest.approx(last_validation)
    assert list((folder / 'logs').glob('*/*.log'))


def test_training_files_stay_as_they_were(folder, run_tool):
    before = (folder / CHECKPOINT).read_bytes()
    run_tool('test', folder, JOB, CHECKPOINT, '--cfg-options', 'test_dataloader.batch_size=128')
    assert (folder / CHECKPOINT).read_bytes() == before
    assert [file.name for file in (folder / CHECKPOINT).parent.glob('*.pth')] == ['last.pth']


def test_amp_gives_nearly_the_same_accuracy(folder, run_tool, last_validation):
    metrics, _ = run_tool('test', folder, JOB, CHECKPOINT, '--amp')
    assert metrics['accuracy/top1'] == pytest.approx(last_validation, abs=3)


@pytest.mark.host
def test_pictures_of_predictions_and_augmented_tests(folder, run_tool, last_validation):
    options = ('--show-dir', 'shown', '--interval', '50', '--tta')
    metrics, _ = run_tool('test', folder, JOB, CHECKPOINT, *options)
    assert metrics['accuracy/top1'] == pytest.approx(last_validation, abs=8)
    assert sorted(file.name for file in (folder / 'shown').iterdir()) == [
        '0_0.png',
        '100_0.png',
        '50_0.png',
    ]


def test_files_are_shown_in_natural_colours():
    data = dict(type='CustomDataset', pipeline=[dict(type='LoadImageFromFile')])
    cfg = Config(dict(test_dataloader=dict(dataset=data)))
    draw_predictions(cfg, 'folder', 1)
    settings = cfg.default_hooks.visualization
    hook = HOOKS.build(settings)
    drawn = []
    hook._visualizer = SimpleNamespace(visualize_cls=lambda image, **rest: drawn.append(image))
    red = torch.zeros(3, 2, 2)
    red[2] = 255  # as OpenCV loads it
    hook.after_test_iter(None, 0, dict(inputs=[red]), [DataSample()])
    assert (drawn[0][..., 0] == 255).all() and not drawn[0][..., 1:].any()


def test_what_cannot_be_augmented_is_refused():
    cfg = Config(dict(test_dataloader=dict(dataset=dict(type='ConcatDataset')), model=dict()))
    with pytest.raises(ValueError, match="--tta .*'ConcatDataset' has none"):
        augment_tests(cfg)


def test_checkpoint_that_does_not_exist_is_named(folder, run_tool):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.pth'):
        run_tool('test', folder, JOB, 'nowhere.pth')


def test_checkpoint_that_does_not_fit_is_refused(folder, run_tool):
    state = torch.load(folder / CHECKPOINT, weights_only=False)['state_dict']
    state['head.fc.bias'] = state['head.fc.bias'][:3]
    torch.save(dict(state_dict=state), folder / 'other.pth')
    with pytest.raises(ValueError, match='does not fit its config: of another shape: head.fc'):
        run_tool('test', folder, JOB, 'other.pth')


@pytest.mark.parametrize('method', ['ce_supermix', 'kd_transformmix'])
def test_a_distilled_student_needs_neither_its_teacher_nor_its_mixed_images(
    tmp_path, run_tool, method
):
    pair = 'wrn16_wrn10_fashionmnist_mini'
    config = DISTILL / f'{method}.py'
    model = MODELS.build(
        dict(load_config(config, variants=dict(PAIR=pair)).model, _scope_='mmpretrain')
    )
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'student.pth')
    few = ('--variant', f'PAIR={pair}', '--cfg-options', 'test_dataloader.dataset.indices=64')
    metrics, _ = run_tool('test', tmp_path, config, 'student.pth', *few)
    assert metrics.keys() == {'accuracy/top1'}
