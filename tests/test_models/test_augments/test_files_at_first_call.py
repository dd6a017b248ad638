"""A classifier is built and predicts without the files that only its mixers need."""

import copy
import pickle

import pytest
import torch
from mmengine.config import Config
from mmpretrain import get_model
from mmpretrain.engine import SwitchRecipeHook
from mmpretrain.registry import BATCH_AUGMENTS
from mmpretrain.structures import DataSample

from mmtmix.models import SampleMixup, save_mixer
from mmtmix.models.augments import build_augment, load_augments

pytestmark = pytest.mark.host

TEACHER = dict(config='nowhere.py', checkpoint='nowhere.pth')
MISSING = {
    'TransformMix': dict(mixer='nowhere/mixer.pth', teacher=TEACHER),
    'SuperMix': dict(teacher=TEACHER),
    'AttentiveMix': dict(teacher=TEACHER),
    'CAMMix': dict(teacher=TEACHER),
    'SaliencyMix': dict(saliency=dict(type='TeacherCAM', teacher=TEACHER)),
}


@pytest.fixture(params=MISSING)
def without_files(request, teacher_config):
    """The config of a classifier that was trained with a mixer whose files are not here."""
    cfg = teacher_config()
    cfg['data_preprocessor']['num_classes'] = 10
    augment = dict(type=request.param, **MISSING[request.param])
    return Config(dict(cfg, model=dict(cfg['model'], train_cfg=dict(augments=augment))))


def test_a_classifier_predicts_and_the_first_mix_says_what_is_missing(without_files):
    model = get_model(without_files)
    images = torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8)
    samples = [DataSample().set_gt_label(label) for label in (3, 1, 4, 0)]
    found = model.val_step(dict(inputs=images, data_samples=copy.deepcopy(samples)))
    assert all(0 <= sample.pred_label.item() < 10 for sample in found)
    for use in (
        lambda: model.data_preprocessor(dict(inputs=images, data_samples=samples), training=True),
        lambda: load_augments(model),
    ):
        with pytest.raises(FileNotFoundError, match='nowhere'):
            use()


def test_mixers_of_a_later_recipe_are_looked_for_as_well(without_files):
    recipe = dict(action_epoch=100, batch_augments=without_files.model.train_cfg)
    hook = SwitchRecipeHook(schedule=[dict(action_epoch=1, batch_augments=None), recipe])
    with pytest.raises(FileNotFoundError, match='nowhere'):
        load_augments(torch.nn.Module(), [hook])


def test_what_mixes_at_once_reads_at_once(without_files):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        build_augment(without_files)


@pytest.mark.parametrize('name', MISSING)
@pytest.mark.parametrize(
    ('wrong', 'error', 'said'),
    [
        ('a.pth', TypeError, 'teacher must be dict'),
        (dict(config='a.py'), ValueError, 'teacher has no checkpoint'),
        (dict(TEACHER, weights='a.pth'), TypeError, "teacher has no 'weights'"),
        (dict(TEACHER, saliency='cma'), ValueError, "saliency must be one of .*'cma'"),
        (dict(TEACHER, dtype='int8'), ValueError, "dtype must be one of .*'int8'"),
        (dict(TEACHER, input_stats=dict(average=[1.0])), TypeError, 'average'),
        (dict(TEACHER, input_stats='imagenet'), TypeError, "input_stats must be .*'imagenet'"),
    ],
)
def test_arguments_are_checked_without_the_files(name, wrong, error, said):
    settings = copy.deepcopy(MISSING[name])
    settings.get('saliency', settings)['teacher'] = wrong
    with pytest.raises(error, match=said):
        BATCH_AUGMENTS.build(dict(type=name, **settings))


@pytest.fixture(params=['TransformMix', 'SuperMix', 'AttentiveMix', 'CAMMix'])
def settings(request, teacher_args, make_mixer, tmp_path):
    """The config of a mixer whose files are there."""
    save_mixer(make_mixer(), tmp_path / 'mixer.pth')
    found = dict(type=request.param, teacher=teacher_args())
    if request.param == 'TransformMix':
        found['mixer'] = str(tmp_path / 'mixer.pth')
    return found


def mix(augment, batch, seed=1):
    torch.manual_seed(seed)
    return augment(*batch)


def test_reading_draws_nothing(settings, make_batch):
    """The first mix is the one that a mixer makes which had its files before."""
    loaded, fresh = (BATCH_AUGMENTS.build(settings) for _ in range(2))
    state = torch.get_rng_state()
    loaded.load()
    assert torch.equal(torch.get_rng_state(), state)
    expected, found = mix(loaded, make_batch()), mix(fresh, make_batch())
    assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))


def test_files_are_read_once(settings, make_batch, monkeypatch):
    augment = BATCH_AUGMENTS.build(settings)
    mix(augment, make_batch())
    monkeypatch.setattr(torch, 'load', None)
    mix(augment, make_batch())
    augment.load()


def test_a_first_call_in_inference_mode_leaves_it_fit_for_training(settings, make_batch):
    settings['teacher'] = dict(settings['teacher'], channels_last=True)
    augment = BATCH_AUGMENTS.build(settings)
    with torch.inference_mode():
        augment.load()
    expected = mix(BATCH_AUGMENTS.build(settings), make_batch())
    assert torch.equal(mix(augment, make_batch())[0], expected[0])
    weights = list((augment.saliency or augment).teacher.model.parameters())
    weights += getattr(augment, 'mixer', torch.nn.Module()).parameters()
    assert not any(weight.is_inference() for weight in weights)


@pytest.mark.parametrize('before', [True, False])
def test_it_can_be_sent_to_another_process_before_and_after_it_has_read(
    settings, make_batch, before
):
    augment = BATCH_AUGMENTS.build(settings)
    if not before:
        augment.load()
    sent = pickle.loads(pickle.dumps(augment))
    assert torch.equal(mix(sent, make_batch())[0], mix(augment, make_batch())[0])
    assert copy.deepcopy(augment) is augment


def test_mixers_without_files_have_nothing_to_read():
    SampleMixup().load()
