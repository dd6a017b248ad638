"""LabelRangeHook: labels without a class end a run before its first step."""

from contextlib import nullcontext
from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from mmengine.runner import BaseLoop
from mmpretrain.datasets import BaseDataset, CustomDataset, FashionMNIST, KFoldDataset
from torch.utils.data import DataLoader, Dataset

from mmtmix.engine import LabelRangeHook
from mmtmix.engine import labels as labels_module
from mmtmix.engine.labels import check_labels, count_model_classes, iter_labelled, read_labels
from mmtmix.models.teachers import FrozenTeacher
from mmtmix.utils import load_config

pytestmark = pytest.mark.host

HOOK = dict(type='LabelRangeHook')
TEACHER_REFUSED = "train_dataloader .* and the teacher .*reversed.pth .*'T-shirt/top' has the lab"


class Labelled(BaseDataset):
    """Items of the given labels; None for an item without."""

    def __init__(self, labels, data_root='photos', **kwargs):
        self.given = labels
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self):
        return [
            dict(img_path=f'{self.data_root}/{i}.jpg') | ({} if x is None else dict(gt_label=x))
            for i, x in enumerate(self.given)
        ]


class Others(Dataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return index


def model_of(**counts):
    model = torch.nn.Module()
    for name, count in counts.items():
        part = torch.nn.Module()
        part.num_classes = count
        setattr(model, name, part)
    return model


class Loop(BaseLoop):
    def run(self):
        pass


def run_of(num_classes=10, **datasets):
    runner = SimpleNamespace(
        model=model_of(head=num_classes), hooks=[], _test_loop=dict(type='TestLoop')
    )
    for name, dataset in datasets.items():
        setattr(runner, f'_{name}_loop', Loop(runner, DataLoader(dataset)))
    return runner


def test_error_says_where_the_label_is_and_what_to_do(tmp_path):
    labels = Labelled([0, 9, 500, 10], data_root=str(tmp_path))
    with pytest.raises(ValueError) as error:
        LabelRangeHook().before_run(run_of(train=Labelled([0, 9]), val=labels))
    message = str(error.value)
    assert message.startswith(f'val_dataloader: Labelled in {tmp_path} gives the label 500 to')
    assert f'{tmp_path}/2.jpg, but the model has 10 classes, 0 to 9; 2 of its 4' in message
    assert 'Set num_classes of model.head' in message


@pytest.mark.parametrize('labels', [[-1, 0], [0, 10], [np.int64(3), np.int64(10)]])
def test_labels_out_of_range(labels):
    with pytest.raises(ValueError, match=r'in .*photos gives the label (-1|10) to photos/[01]'):
        LabelRangeHook().before_run(run_of(train=Labelled(labels)))


@pytest.mark.parametrize(
    'dataset',
    [
        Labelled([0, 9]),
        Labelled([], serialize_data=False),
        Labelled([None, None]),
        Labelled([[0, 1], [500]]),  # several labels an image
        Others(),
        RepeatDataset(Labelled([0, 9]), times=2),
    ],
)
def test_what_fits_or_has_no_single_labels_is_left_alone(dataset):
    LabelRangeHook().before_run(run_of(train=dataset))


def test_wrappers_are_followed_to_the_last_data_set():
    bad = Labelled([1, 2, 12])
    wrapped = [
        RepeatDataset(bad, times=2),
        ClassBalancedDataset(bad, oversample_thr=0.1),
        ConcatDataset([Labelled([0]), dict(type=RepeatDataset, dataset=bad, times=2)]),
        KFoldDataset(dict(type=Labelled, labels=[1, 2, 12]), num_splits=3, fold=0),
    ]
    for dataset in wrapped:
        with pytest.raises(ValueError, match='Labelled in .* gives the label 12 to photos/2.jpg'):
            LabelRangeHook().before_run(run_of(train=dataset))
    # the part that the fold leaves out
    LabelRangeHook().before_run(
        run_of(train=KFoldDataset(dict(type=Labelled, labels=[1, 2, 12]), 2, 3))
    )
    assert list(iter_labelled(ConcatDataset([bad, Labelled([3])])))[0] is bad


@pytest.mark.parametrize('serialize', [True, False])
@pytest.mark.parametrize('labels', [[3, 0, 7], [np.int64(2)]])
def test_labels_are_those_of_the_data_set(labels, serialize):
    dataset = Labelled(labels, serialize_data=serialize)
    assert read_labels(dataset).tolist() == dataset.get_gt_labels().tolist() == labels
    subset = dataset.get_subset([len(labels) - 1])
    assert read_labels(subset).tolist() == labels[-1:]


@pytest.mark.parametrize('method', ['get_gt_labels', 'get_data_info'])
def test_labels_of_a_data_set_with_its_own_method_are_asked_for(method):
    own = dict(get_gt_labels=lambda self: [5], get_data_info=lambda self, index: dict(gt_label=5))
    cls = type('Own', (Labelled,), {method: own[method]})
    assert set(read_labels(cls([1, 2]))) == {5}


@pytest.fixture
def photos(tmp_path):
    """Three classes as folders, and a list that says otherwise."""
    for number in range(3):
        (tmp_path / f'class_{number}').mkdir()
        (tmp_path / f'class_{number}' / 'a.jpg').touch()
    (tmp_path / 'list.txt').write_text('class_0/a.jpg 0\nclass_1/a.jpg 7\n')
    return dict(data_root=str(tmp_path))


def test_labels_of_folders_are_not_read(photos, monkeypatch):
    monkeypatch.setattr(labels_module, 'read_labels', None)
    check_labels(CustomDataset(**photos), 3, 'train_dataloader')


def test_folders_of_more_classes_and_lists_are_looked_at(photos):
    with pytest.raises(ValueError, match='gives the label 2 to .*class_2/a.jpg.* 2 classes'):
        check_labels(CustomDataset(**photos), 2, 'train_dataloader')
    with pytest.raises(ValueError, match='gives the label 7 to .*class_1/a.jpg'):
        check_labels(CustomDataset(ann_file='list.txt', **photos), 3, 'train_dataloader')

    class Own(CustomDataset):
        def load_data_list(self):
            return [dict(item, gt_label=item['gt_label'] + 5) for item in super().load_data_list()]

    with pytest.raises(ValueError, match='gives the label 5 to'):
        check_labels(Own(**photos), 3, 'train_dataloader')


def test_a_data_set_is_looked_at_once(monkeypatch):
    calls = []
    monkeypatch.setattr(Labelled, 'get_gt_labels', lambda self: calls.append(self) or [0])
    hook, dataset = LabelRangeHook(), Labelled([0, 1])
    for _ in range(3):
        hook.before_run(run_of(train=dataset, val=RepeatDataset(dataset, times=3)))
    assert calls == [dataset]


def test_classes_are_those_of_the_part_with_the_least():
    assert count_model_classes(model_of(head=10)) == 10
    assert count_model_classes(model_of(head=None, data_preprocessor=7)) == 7
    assert count_model_classes(model_of(head=10, data_preprocessor=7)) == 7
    assert count_model_classes(model_of(teacher=5)) == 5
    assert count_model_classes(torch.nn.Module()) is None
    runner = run_of(train=Labelled([500]))
    runner.model = torch.nn.Module()
    LabelRangeHook().before_run(runner)


def test_an_image_without_a_path_is_numbered():
    dataset = Labelled([0, 0, 4], data_root='')
    dataset.get_data_info = lambda index: dict(gt_label=dataset.given[index])
    with pytest.raises(ValueError, match='Labelled gives the label 4 to image 2'):
        check_labels(dataset, 3, 'train_dataloader')


@pytest.fixture
def classifier():
    """Make a model of some classes, which reads images of one channel."""

    def make(num_classes):
        return dict(
            type='ImageClassifier',
            backbone=dict(type='LeNet5'),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=num_classes, in_channels=120),
            data_preprocessor=dict(num_classes=num_classes),
        )

    return make


def test_a_run_ends_before_its_first_step(probe_runner, classifier):
    evaluation = dict(
        dataset=dict(type='FashionMNISTIdx', split='test', indices=10, pipeline=[]),
        batch_size=5,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    evaluator = dict(type='Accuracy')
    for name in ('val', 'test'):
        settings = {f'{name}_dataloader': evaluation, f'{name}_evaluator': evaluator}
        settings[f'{name}_cfg'] = dict()
        runner = probe_runner(HOOK, model=classifier(5), **settings)
        with pytest.raises(ValueError, match=f'{name}_dataloader: FashionMNISTIdx in'):
            getattr(runner, name)()
    runner = probe_runner(HOOK, model=classifier(9))
    with pytest.raises(ValueError, match=r'train_dataloader: FashionMNISTIdx in .* 9 classes'):
        runner.train()
    assert runner.iter == 0


def test_default_runtime_has_it():
    hooks = load_config('configs/_base_/default_runtime.py').default_hooks
    assert hooks.label_range == HOOK


def named(*classes, labels=(0, 1)):
    return Labelled(list(labels), metainfo=dict(classes=classes))


def test_names_of_the_loaders_are_compared_once(caplog):
    hook, train = LabelRangeHook(), named('a', 'b', 'c')
    with pytest.raises(ValueError, match='train_dataloader .* and val_dataloader .*other labels'):
        hook.before_run(run_of(None, train=train, val=named('a', 'c')))
    parts = ConcatDataset([named('a', 'b'), named('b', 'a')], ignore_keys='classes')
    with pytest.raises(ValueError, match='train_dataloader .* and train_dataloader .*other'):
        LabelRangeHook().before_run(run_of(train=parts))
    hook = LabelRangeHook()
    hook.before_run(run_of(train=train, val=named('a', 'b', 'c')))
    with pytest.raises(ValueError, match='train_dataloader .* and test_dataloader'):
        hook.before_run(run_of(test=named('b', 'a')))


@pytest.mark.parametrize('meta', [dict(dataset_meta=dict(classes=('a', 'b'))), dict(CLASSES='ab')])
def test_a_test_compares_its_images_with_the_checkpoint(meta):
    hook, runner = LabelRangeHook(), run_of(test=named('b', 'a'))
    hook.before_run(runner)
    hook.after_load_checkpoint(runner, dict(state_dict={}))
    hook.after_load_checkpoint(runner, dict(meta=dict(dataset_meta=dict(classes=('b', 'a')))))
    if 'CLASSES' in meta:
        meta = dict(CLASSES=list(meta['CLASSES']))
    with pytest.raises(ValueError, match="the checkpoint and test_dataloader .*'a' has the la"):
        hook.after_load_checkpoint(runner, dict(meta=meta))
    # a training may begin with weights of other classes
    training = LabelRangeHook()
    training.before_run(run_of(train=named('b', 'a')))
    training.after_load_checkpoint(run_of(train=named('b', 'a')), dict(meta=meta))


@pytest.fixture
def reversed_teacher(fitted_teacher, tmp_path):
    """The fitted teacher, whose checkpoint says that its classes have the opposite order."""
    content = torch.load(fitted_teacher['checkpoint'])
    content['meta'] = dict(dataset_meta=dict(classes=FashionMNIST.METAINFO['classes'][::-1]))
    torch.save(content, tmp_path / 'reversed.pth')
    return dict(fitted_teacher, checkpoint=str(tmp_path / 'reversed.pth'))


def test_teachers_know_the_classes_by_the_same_labels(
    probe_runner, classifier, fitted_teacher, reversed_teacher
):
    def run(augment, *hooks):
        model = classifier(10) | dict(train_cfg=dict(augments=augment) if augment else None)
        probe_runner(HOOK, *hooks, model=model, epochs=0).train()

    mixer = dict(type='TransformMixer', num_mix=2)
    stats = dict(input_stats=dict(mean=[0.0], std=[1.0]))  # these runs have no config
    reversed_teacher = reversed_teacher | stats
    for teacher, is_fit in ((reversed_teacher, False), (fitted_teacher | stats, True)):
        source = dict(type='TeacherCAM', teacher=teacher)
        for augment in (
            dict(type='TransformMix', teacher=teacher, mixer=mixer),
            dict(type='AttentiveMix', saliency=source),
            dict(type='SuperMix', teacher=teacher),
        ):
            with nullcontext() if is_fit else pytest.raises(ValueError, match=TEACHER_REFUSED):
                run(augment)
        with nullcontext() if is_fit else pytest.raises(ValueError, match=TEACHER_REFUSED):
            run(None, dict(type='DistillHook', teacher=teacher, preset='kd'))
    run(dict(type='AttentiveMix', saliency=dict(source, cam_class='predicted')))
    predicting = dict(type='TeacherCAM', teacher=reversed_teacher, cam_class='predicted')
    run(dict(type='AttentiveMix', saliency=predicting))
    for rule in ('AttendedLabels', 'SimilarLabels'):
        run(dict(type='FMix', labels=dict(type=rule, teacher=reversed_teacher)))
    with pytest.raises(ValueError, match=TEACHER_REFUSED):
        run(dict(type='FMix', labels=dict(type='TeacherLabels', teacher=reversed_teacher)))


def test_a_teachers_names_are_its_checkpoints_or_its_configs(fitted_teacher, reversed_teacher):
    known = FashionMNIST.METAINFO['classes']
    assert FrozenTeacher(**reversed_teacher).classes == known[::-1]
    assert FrozenTeacher(**fitted_teacher).classes == known
    config = deepcopy(fitted_teacher['config'])
    config['train_dataloader']['dataset']['metainfo'] = dict(classes=known[::-1])
    assert FrozenTeacher(**dict(fitted_teacher, config=config)).classes == known[::-1]
    del config['train_dataloader']
    assert FrozenTeacher(**dict(fitted_teacher, config=config)).classes == ()
