"""TransformMix from a config: its files, its errors, and its place in MMPretrain."""

import copy

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper
from mmpretrain.models.utils.batch_augments import RandomBatchAugment
from mmpretrain.registry import BATCH_AUGMENTS, MODELS
from mmpretrain.structures import DataSample

from mmtmix.models import TransformMix, save_mixer

pytestmark = pytest.mark.host


@pytest.fixture
def settings(teacher_args, make_mixer, tmp_path):
    """The config of a TransformMix with both its files on disk."""
    save_mixer(make_mixer(), tmp_path / 'mixer.pth')
    return dict(type='TransformMix', teacher=teacher_args(), mixer=str(tmp_path / 'mixer.pth'))


@pytest.fixture
def samples():
    """What a data loader gives: raw images and their labels."""
    labels = [DataSample().set_gt_label(label) for label in (3, 1, 4, 0)]
    return dict(inputs=torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8), data_samples=labels)


def test_a_searched_mixer_is_used_frozen(settings, make_mixer, make_batch):
    augment = BATCH_AUGMENTS.build(settings)
    assert isinstance(augment, TransformMix)
    own = make_mixer().state_dict()
    assert all(torch.equal(own[name], value) for name, value in augment.mixer.state_dict().items())
    assert not any(parameter.requires_grad for parameter in augment.mixer.parameters())
    assert not torch.equal(augment(*make_batch())[0], make_batch()[0])


def test_an_untrained_mixer_is_used_with_a_warning(settings, monkeypatch):
    warnings = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', warnings.append)
    settings['mixer'] = dict(type='TransformMixer', cam_size=20)
    augment = BATCH_AUGMENTS.build(dict(settings, num_mix=3))
    assert augment.mixer.arch['num_mix'] == 3
    assert augment.mixer.cam_size == 20
    assert 'untrained TransformMixer' in warnings[0]


def test_a_mixer_file_can_be_held_to_settings(settings):
    described = dict(type='TransformMixer', checkpoint=settings['mixer'], cam_size=18)
    assert BATCH_AUGMENTS.build(dict(settings, mixer=described)).mixer.cam_size == 18
    described['cam_size'] = 32
    with pytest.raises(ValueError, match='cam_size is 18 in the file and 32 in the config'):
        BATCH_AUGMENTS.build(dict(settings, mixer=described)).load()


def test_a_config_is_not_changed_by_building_from_it(settings):
    settings['mixer'] = dict(type='TransformMixer', checkpoint=settings['mixer'])
    before = copy.deepcopy(settings)
    BATCH_AUGMENTS.build(settings).load()
    assert settings == before


def test_a_missing_mixer_file_names_the_command_that_makes_it(settings, make_batch):
    augment = BATCH_AUGMENTS.build(dict(settings, mixer='none.pth'))
    for use in (augment.load, lambda: augment(*make_batch())):
        with pytest.raises(
            FileNotFoundError, match="'none.pth' does not exist.*mmtmix train CONFIG"
        ):
            use()


def test_a_checkpoint_that_is_no_mixer_is_refused(settings, make_batch):
    augment = BATCH_AUGMENTS.build(dict(settings, mixer=settings['teacher']['checkpoint']))
    with pytest.raises(ValueError, match='is no mixer file'):
        augment(*make_batch())


def test_more_images_than_the_mixer_mixes_are_refused(settings, make_mixer, make_batch):
    with pytest.raises(ValueError, match='num_mix is 2 in the file and 3 in the config'):
        BATCH_AUGMENTS.build(dict(settings, num_mix=3))(*make_batch())
    for mixer in (make_mixer(), dict(type='TransformMixer', num_mix=2)):
        with pytest.raises(ValueError, match='num_mix=3, but the mixer mixes 2 images'):
            BATCH_AUGMENTS.build(dict(settings, num_mix=3, mixer=mixer))


def test_another_module_is_no_mixer(settings):
    with pytest.raises(TypeError, match='mixer must be the path of a mixer.pth'):
        BATCH_AUGMENTS.build(dict(settings, mixer=torch.nn.Identity()))


def test_an_alpha_that_is_not_positive_is_refused_before_any_file_is_read(settings):
    with pytest.raises(ValueError, match='alpha must be a finite number > 0'):
        BATCH_AUGMENTS.build(dict(settings, alpha=0, mixer='none.pth'))


def test_random_batch_augment_builds_and_calls_it(settings, make_batch):
    inputs, scores = make_batch()
    mixed, targets = RandomBatchAugment(settings)(inputs, scores)
    assert not torch.equal(mixed, inputs)
    assert (targets > 0).sum(dim=1).tolist() == [2] * 6


def test_the_data_preprocessor_mixes_in_training_only(settings, samples):
    preprocessor = MODELS.build(
        dict(
            type='ClsDataPreprocessor',
            mean=[120.0, 123.0, 126.0],
            std=[60.0, 62.0, 64.0],
            num_classes=10,
            batch_augments=dict(augments=settings, probs=None),
        )
    )
    plain = preprocessor(copy.deepcopy(samples), training=False)
    mixed = preprocessor(copy.deepcopy(samples), training=True)
    assert not torch.equal(plain['inputs'], mixed['inputs'])
    scores = torch.stack([sample.gt_score for sample in mixed['data_samples']])
    torch.testing.assert_close(scores.sum(dim=1), torch.ones(4))
    assert (scores > 0).sum(dim=1).tolist() == [2] * 4


@pytest.fixture
def classifier(settings, teacher_config):
    """A classifier that trains with it."""
    config = teacher_config(num_classes=10)
    model = dict(config['model'], train_cfg=dict(augments=settings), _scope_='mmpretrain')
    return MODELS.build(
        dict(model, data_preprocessor=dict(config['data_preprocessor'], num_classes=10))
    )


def test_a_classifier_trains_with_it(classifier, samples):
    before = [parameter.clone() for parameter in classifier.parameters()]
    optimizer = OptimWrapper(torch.optim.SGD(classifier.parameters(), lr=0.1))
    log = classifier.train_step(samples, optimizer)
    assert log['loss'].isfinite()
    after = classifier.parameters()
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_it_is_no_part_of_the_classifier_and_its_copies(classifier, teacher_config):
    plain = MODELS.build(dict(teacher_config()['model'], _scope_='mmpretrain'))
    assert classifier.state_dict().keys() == plain.state_dict().keys()
    assert len(list(classifier.modules())) == len(list(plain.modules()))
    copied = copy.deepcopy(classifier).data_preprocessor.batch_augments.augments[0]
    assert copied is classifier.data_preprocessor.batch_augments.augments[0]
