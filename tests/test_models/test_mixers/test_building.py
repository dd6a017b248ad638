"""A mixing module from each of the forms that a config has for one."""

import pytest
import torch

from mmtmix.models import TransformMixer, save_mixer
from mmtmix.models.mixers import build_module, check_module, module_file
from tests.test_models.test_mixers.mixing import stirred

pytestmark = pytest.mark.host


@pytest.fixture
def file(tmp_path):
    """The ``mixer.pth`` of a module of three images."""
    torch.manual_seed(0)
    path = tmp_path / 'mixer.pth'
    save_mixer(stirred(num_mix=3, cam_size=20, channels=8), path)
    return path


def assert_frozen(mixer):
    assert not mixer.training
    assert not any(parameter.requires_grad for parameter in mixer.parameters())


@pytest.mark.parametrize('form', [str, lambda path: path, lambda path: dict(checkpoint=path)])
@pytest.mark.parametrize('beside', [{}, dict(cam_size=20), dict(num_mix=3, channels=8)])
def test_a_file_is_read_with_its_own_settings(file, form, beside):
    mixer = form(file)
    if isinstance(mixer, dict):
        mixer = dict(type='TransformMixer', **mixer, **beside)
    given = dict(mixer) if isinstance(mixer, dict) else mixer
    assert module_file(mixer) == (mixer['checkpoint'] if isinstance(mixer, dict) else mixer)
    check_module(mixer, 3)
    built = build_module(mixer, 3)
    assert (built.num_mix, built.cam_size, built.arch['channels']) == (3, 20, 8)
    assert_frozen(built)
    expected = torch.load(file, weights_only=True)['state_dict']
    assert all(torch.equal(value, expected[key]) for key, value in built.state_dict().items())
    assert mixer == given


def test_settings_beside_a_file_must_be_its_own(file):
    other = dict(type='TransformMixer', checkpoint=file, cam_size=24)
    with pytest.raises(ValueError, match='cam_size'):
        build_module(other, 3)
    with pytest.raises(ValueError, match='num_mix'):
        build_module(file, 2)


def test_without_a_file_it_is_untrained_and_says_so(caplog):
    settings = dict(type='TransformMixer', cam_size=18, channels=4)
    state = torch.random.get_rng_state()
    with caplog.at_level('WARNING'):
        built = build_module(settings, 4)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (built.num_mix, built.cam_size, built.arch['channels']) == (4, 18, 4)
    assert_frozen(built)
    assert module_file(settings) is None
    assert settings == dict(type='TransformMixer', cam_size=18, channels=4)


def test_a_module_is_taken_as_it_is_and_frozen():
    mixer = TransformMixer(num_mix=2, cam_size=18)
    assert module_file(mixer) is None
    assert build_module(mixer, 2) is mixer
    assert_frozen(mixer)


def test_what_is_made_in_inference_mode_serves_gradients(file):
    with torch.inference_mode():
        made = build_module(file, 3), build_module(dict(type='TransformMixer'), 2)
    for mixer in made:
        assert not any(parameter.is_inference() for parameter in mixer.parameters())


@pytest.mark.parametrize('check', [check_module, build_module])
def test_another_number_of_images_is_refused(check):
    for mixer in (TransformMixer(num_mix=2), dict(type='TransformMixer', num_mix=2)):
        with pytest.raises(ValueError, match='num_mix'):
            check(mixer, 3)
        check(mixer, 2)
    with pytest.raises(TypeError, match='mixer must be'):
        check(3, 2)
