"""Checkpoints: MMEngine's load without unsafe loading, code in a pickle never runs."""

import os
import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from mmtmix.utils import allow_mmengine_checkpoints, load_checkpoint

pytestmark = pytest.mark.host


@pytest.fixture(autouse=True)
def _no_safe_globals():
    """Each test starts and ends with what torch itself allows."""
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(before)


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint with all that MMEngine puts beside the weights."""
    hub = MessageHub.get_instance('a_run')
    for value in (1.0, np.float32(2.0), torch.tensor(3.0)):
        hub.update_scalar('train/loss', value)
    hub.update_info('iter', np.int64(7))
    path = tmp_path / 'epoch_1.pth'
    meta = dict(epoch=1, seed=3, experiment_name='a_run')
    state = dict(weight=torch.arange(3.0))
    torch.save(dict(state_dict=state, meta=meta, message_hub=hub.state_dict()), path)
    return path


def test_a_checkpoint_of_mmengine_is_read_whole(checkpoint):
    content = load_checkpoint(checkpoint)
    assert content['state_dict']['weight'].tolist() == [0, 1, 2]
    assert content['meta']['epoch'] == 1
    history = content['message_hub']['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer)
    assert history.data[0].tolist() == [1, 2, 3]
    assert history.statistics('mean', 2) == 2.5


def test_reading_leaves_torchs_own_list_as_it_was(checkpoint):
    load_checkpoint(checkpoint)
    assert torch.serialization.get_safe_globals() == []
    with pytest.raises(pickle.UnpicklingError):
        torch.load(checkpoint, weights_only=True)


def test_the_tools_can_let_torch_load_read_such_files(checkpoint):
    allow_mmengine_checkpoints()
    content = torch.load(checkpoint, weights_only=True)
    assert isinstance(content['message_hub']['log_scalars']['train/loss'], HistoryBuffer)


def test_a_path_may_start_at_home(checkpoint, monkeypatch):
    monkeypatch.setenv('HOME', str(checkpoint.parent))
    assert load_checkpoint('~/epoch_1.pth')['meta']['seed'] == 3


def test_an_address_is_downloaded_and_read_safely(monkeypatch):
    asked = []

    def download(address, **options):
        asked.append((address, options))
        return dict(state_dict={})

    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', download)
    assert load_checkpoint('https://example.com/a.pth') == dict(state_dict={})
    ((address, options),) = asked
    assert address == 'https://example.com/a.pth'
    assert options['weights_only'] is True


def test_a_missing_file_is_named(tmp_path):
    for path in (tmp_path / 'none.pth', tmp_path):
        with pytest.raises(FileNotFoundError, match=f"'{path}' does not exist"):
            load_checkpoint(path)


def test_a_file_that_holds_no_dict_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='holds a list, not a dict'):
        load_checkpoint(tmp_path / 'list.pth')


class Call:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *args):
        self.reduced = function, args

    def __reduce__(self):
        return self.reduced


def test_code_in_a_pickle_is_refused_and_not_run(tmp_path):
    path, proof = tmp_path / 'evil.pth', tmp_path / 'proof'
    torch.save(dict(meta=Call(os.mkdir, str(proof))), path)
    with pytest.raises(ValueError, match='would need unsafe loading'):
        load_checkpoint(path)
    assert not proof.exists()


@pytest.mark.parametrize(
    ('owner', 'name'),
    [(HistoryBuffer, '__init__'), (HistoryBuffer, '_statistics_methods'), (np.ndarray, 'tofile')],
)
def test_a_pickle_reaches_only_the_statistics_of_a_log(tmp_path, owner, name):
    path = tmp_path / 'curious.pth'
    torch.save(dict(meta=Call(getattr, owner, name)), path)
    with pytest.raises(ValueError, match=f'may not ask for {name!r}'):
        load_checkpoint(path)


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('zipped', [True, False])
def test_whatever_is_damaged_the_file_is_named(tmp_path, zipped):
    path, dice = tmp_path / 'damaged.pth', random.Random(0)
    weights = dict(state_dict=dict(weight=torch.arange(9.0)), meta=dict(note='some text'))
    torch.save(weights, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for _ in range(100):
        spoilt = bytearray(whole[: dice.randrange(len(whole))])
        for _ in range(min(5, len(spoilt))):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match='damaged.pth.* is damaged'):
            load_checkpoint(path)
