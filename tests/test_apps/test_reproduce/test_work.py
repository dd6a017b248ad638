"""Steps, operations and images of jobs, against independent figures."""

import pytest
from mmengine.config import Config

from mmtmix.apps.reproduce import Job, Run, job_graph
from mmtmix.apps.reproduce.loaded_images import data_of, pipeline_name
from mmtmix.apps.reproduce.networks import count_network
from mmtmix.apps.reproduce.work import phases_of, sets_of
from mmtmix.engine.stages import Stage

pytestmark = pytest.mark.host


@pytest.fixture(scope='module')
def jobs():
    """Jobs of one run of each kind, by a short name, and those that they require."""
    configs = dict(
        transformmix='configs/transformmix/resnet18_cifar10.py',
        puzzlemix='configs/puzzlemix/wrn28_cifar100.py',
        augmix='configs/augmix/wrn28_cifar100.py',
        offline='configs/supermix/wrn40_2_cifar100.py',
        distilled='configs/distill/kd_supermix.py',
    )
    runs = {name: Run(config, (), (), 0, 'root') for name, config in configs.items()}
    graph = job_graph(list(runs.values()))
    return dict(graph) | {name: graph[str(run.folder)] for name, run in runs.items()}


@pytest.mark.parametrize(
    ('backbone', 'channels', 'size', 'macs', 'layers'),
    [
        # https://docs.pytorch.org/vision/stable/models.html prints these "GFLOPS"
        (dict(type='ResNet', depth=50), 2048, 224, 4.09e9, 54),
        (dict(type='ResNet', depth=18), 512, 224, 1.81e9, 21),
        (dict(type='ResNet', depth=34), 512, 224, 3.66e9, 37),
        # 5.2 in comparisons of networks for CIFAR, such as those of pruning
        (dict(type='WideResNet', depth=28, widen_factor=10), 640, 32, 5.24e9, 29),
    ],
)
def test_operations_are_those_that_others_count(backbone, channels, size, macs, layers):
    head = dict(type='LinearClsHead', num_classes=1000, in_channels=channels)
    model = dict(backbone=backbone, neck=dict(type='GlobalAveragePooling'), head=head)
    network = count_network(model, size)
    assert network.flops / 2 == pytest.approx(macs, rel=0.005)
    assert network.layers == layers


def test_a_training_has_its_epochs_validations_and_the_pass_of_its_teacher(jobs):
    training, validation = phases_of(jobs['transformmix'])
    assert (training.name, training.steps, training.batch) == ('training', 400 * 500, 100)
    assert (training.mixer, training.size) == ('TransformMix', 32)
    (call,) = training.calls
    assert (call.passes, call.launches) == (3, 1)
    assert training.teacher == call.network  # a ResNet-18 teaches a ResNet-18
    assert training.loaders[0].images == {'RandomCrop32': 100}
    assert (validation.name, validation.steps) == ('validation', 400 * 100)


def test_a_search_uses_whole_batches_and_both_passes_of_its_teacher(jobs):
    search, validation = phases_of(
        jobs['work_dirs/transformmix/search_resnet18_cifar10/mixer.pth']
    )
    assert (search.name, search.steps, search.batch) == ('search', 100 * (50000 // 128), 128)
    assert search.calls[0].passes == pytest.approx(3.24)
    assert search.mixer == 'MixerSearch'
    assert validation.steps == 10 * 100


def test_gradients_and_views_are_passes_of_the_network_in_training(jobs):
    puzzlemix, _ = phases_of(jobs['puzzlemix'])
    assert [(call.part, call.passes) for call in puzzlemix.calls] == [
        ('network', 3),
        ('mixing', 2.24),
    ]
    augmix, _ = phases_of(jobs['augmix'])
    assert augmix.calls[0].passes == 9
    assert augmix.loaders[0].images == {'RandomCrop32 AugMix': 100}


def test_a_generated_set_has_its_draws_and_its_images_count_in_training(jobs):
    key = 'work_dirs/supermix/generate_wrn40_2_cifar100_self'
    sets = sets_of(job for job in jobs.values() if isinstance(job, Job))
    assert sets[key] == 500_000
    (generation,) = phases_of(jobs[f'{key}/dataset.json'])
    assert generation.steps * generation.batch == 500_000
    assert (generation.mixer, generation.calls) == ('SuperMix', ())
    assert [loader.images for loader in generation.loaders] == [{'none': 256}, {'encode 32': 128}]
    training, _ = phases_of(jobs['offline'], sets)
    epochs = jobs['offline'].stage.cfg.train_cfg['max_epochs']
    assert training.steps == epochs * -(-550_000 // 128)
    images = training.loaders[0].images
    assert images['MixedImages RandomCrop32'] == pytest.approx(10 * images['RandomCrop32'])
    with pytest.raises(ValueError, match='data set MixedImages is not known'):
        phases_of(jobs['offline'])


def test_a_student_reads_clean_and_mixed_images_and_its_teacher_both(jobs):
    sets = sets_of(job for job in jobs.values() if isinstance(job, Job))
    training, _ = phases_of(jobs['distilled'], sets)
    assert [(call.part, call.passes) for call in training.calls] == [
        ('network', 3),
        ('teacher', 2),
        ('network', 3),
    ]
    assert len(training.loaders) == 2


def test_images_of_a_folder_are_counted(tmp_path):
    for number in range(5):
        path = tmp_path / 'ab'[number % 2] / f'{number}.png'
        path.parent.mkdir(exist_ok=True)
        path.touch()  # which counting does not open
    folder = dict(
        type='CustomDataset', data_root=str(tmp_path), pipeline=[dict(type='PackInputs')]
    )
    assert data_of(dict(dataset=folder)).images == 5
    with pytest.raises(ValueError, match='CustomDataset is not known, since .* set `indices`'):
        data_of(dict(dataset=folder | dict(data_root=str(tmp_path / 'none'))))


def test_counts_of_images_follow_split_indices_and_repeats():
    cifar = dict(type='CIFAR100', split='train', pipeline=[dict(type='PackInputs')])
    assert data_of(dict(dataset=cifar)).images == 50_000
    assert data_of(dict(dataset=cifar | dict(split='test'))).images == 10_000
    assert data_of(dict(dataset=cifar | dict(indices=300))).images == 300
    assert data_of(dict(dataset=cifar | dict(indices=range(40)))).images == 40
    repeated = dict(type='RepeatDataset', times=3, dataset=cifar)
    assert data_of(dict(dataset=repeated)).images == 150_000
    with pytest.raises(ValueError, match='of the data set Mine is not known'):
        data_of(dict(dataset=dict(type='Mine')))
    assert pipeline_name([]) == 'none'


def test_an_iteration_budget_counts_steps_in_place_of_epochs():
    cfg = Config(
        dict(
            model=dict(
                type='ImageClassifier',
                backbone=dict(type='WideResNet', depth=10, widen_factor=1),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='LinearClsHead', num_classes=10, in_channels=64),
            ),
            train_dataloader=dict(batch_size=8, dataset=dict(type='CIFAR10', split='train')),
            val_dataloader=None,
            train_cfg=dict(by_epoch=False, max_iters=70),
        )
    )
    (training,) = phases_of(Job('root/seed0', Stage('c.py', cfg)))
    assert (training.steps, training.batch) == (70, 8)
