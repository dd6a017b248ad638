"""mixer.pth: what goes in comes out, whole, or not at all."""

import pytest
import torch

from mmtmix.models import TransformMixer, load_mixer, save_mixer
from mmtmix.version import __version__

SETTINGS = dict(num_mix=3, cam_size=20, noise_size=2, channels=8, padding_mode='border')


@pytest.fixture
def mixer():
    torch.manual_seed(0)
    mixer = TransformMixer(**SETTINGS)
    for parameter in mixer.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return mixer


@pytest.fixture
def path(mixer, tmp_path):
    path = tmp_path / 'mixer.pth'
    save_mixer(mixer, path, searched_on=dict(dataset='X', epochs=3))
    return path


@pytest.fixture
def tamper(path):
    """Change what the file holds by a function."""

    def write(change):
        content = torch.load(path)
        change(content)
        torch.save(content, path)

    return write


def test_a_mixer_comes_back_bit_by_bit(mixer, path):
    loaded = load_mixer(path)
    assert loaded.arch == mixer.arch
    assert loaded.state_dict().keys() == mixer.state_dict().keys()
    for name, value in mixer.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_a_loaded_mixer_is_frozen(path):
    loaded = load_mixer(path)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_the_file_is_plain_data_that_says_where_it_comes_from(path):
    content = torch.load(path, weights_only=True)
    assert content['version'] == __version__
    assert content['arch']['num_mix'] == 3
    assert content['searched_on'] == dict(dataset='X', epochs=3)
    assert not any(value.requires_grad for value in content['state_dict'].values())


def test_other_weights_can_be_written_in_place_of_the_modules_own(mixer, path):
    averaged = {name: value + 1 for name, value in mixer.state_dict().items()}
    save_mixer(mixer, path, state_dict=averaged)
    for name, value in load_mixer(path).state_dict().items():
        assert torch.equal(value, averaged[name])


def test_a_crash_while_saving_leaves_the_old_file_whole(mixer, path, monkeypatch):
    before = path.read_bytes()

    def crash(content, file):
        file.write(b'half a fi')
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, 'save', crash)
    with pytest.raises(KeyboardInterrupt):
        save_mixer(mixer, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_what_is_expected_and_found_is_accepted(path):
    assert load_mixer(path, **SETTINGS).num_mix == 3


@pytest.mark.parametrize(
    ('name', 'wanted'),
    [
        ('num_mix', 2),
        ('cam_size', 32),
        ('channels', 32),
        ('mask', 'softmax_cam'),
        ('mask_size', None),
    ],
)
def test_a_mismatch_names_both_values(path, name, wanted):
    found = load_mixer(path).arch[name]
    said = f'{name} is {found!r} in the file and {wanted!r} in the config'
    with pytest.raises(ValueError, match=f'mixer.pth.*{said}.*Change the config, or search'):
        load_mixer(path, **{name: wanted})


def test_all_mismatches_are_named_at_once(path):
    with pytest.raises(ValueError, match='num_mix is 3 .*cam_size is 20 '):
        load_mixer(path, num_mix=2, cam_size=32)


def test_a_missing_file_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth.*mmtmix train CONFIG'):
        load_mixer(tmp_path / 'none.pth')


def test_another_checkpoint_is_refused_with_the_cure(teacher_args):
    with pytest.raises(ValueError, match="is no mixer file.*'state_dict'.*give the mixer.pth"):
        load_mixer(teacher_args()['checkpoint'])


@pytest.mark.parametrize(
    'change',
    [
        lambda content: content['state_dict'].pop('log_temperature'),
        lambda content: content['state_dict'].update(extra=torch.ones(1)),
        lambda content: content['state_dict'].update(log_temperature=torch.ones(3)),
        lambda content: content['state_dict'].update(log_temperature='hot'),
        lambda content: content['arch'].update(num_mix=2),
        lambda content: content['arch'].update(cam_size=5),
        lambda content: content['arch'].update(eggs=3),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(path, tamper, change):
    tamper(change)
    with pytest.raises(ValueError, match=rf'mixer\.pth.* cannot be read by mmtmix {__version__}'):
        load_mixer(path)


def test_a_damaged_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match='mixer.pth.* is damaged'):
        load_mixer(path)


def test_an_older_file_is_a_module_without_what_it_does_not_say(path, tamper):
    newer = ('anchored', 'random_orientation', 'saliency_noise', 'mask_size')
    tamper(lambda content: [content['arch'].pop(name) for name in newer])
    off = dict(anchored=False, random_orientation=False, saliency_noise=0.0, mask_size=None)
    assert off.items() <= load_mixer(path, **off).arch.items()
    with pytest.raises(ValueError, match='anchored is False in the file and True in the config'):
        load_mixer(path, anchored=True)
    assert load_mixer(path).mask_size == SETTINGS['cam_size']


def test_weights_that_are_not_finite_are_named(path, mixer):
    state = mixer.state_dict()
    key = next(iter(state))
    state[key] = torch.full_like(state[key], float('nan'))
    save_mixer(mixer, path, state_dict=state)
    with pytest.raises(ValueError, match=f'mixer.pth.* holds NaN or infinity in {key};'):
        load_mixer(path)
