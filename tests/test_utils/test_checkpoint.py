"""Checkpoints: MMEngine's load without unsafe loading, code in a pickle never runs."""

import os
import pickle
import random
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from mmtmix.utils import UnsafeCheckpointError, file_digest, load_checkpoint, load_safely

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
    load_safely()
    content = torch.load(checkpoint, weights_only=True)
    assert isinstance(content['message_hub']['log_scalars']['train/loss'], HistoryBuffer)


def test_a_path_may_start_at_home(checkpoint, monkeypatch):
    monkeypatch.setenv('HOME', str(checkpoint.parent))
    assert load_checkpoint('~/epoch_1.pth')['meta']['seed'] == 3


@pytest.fixture
def website(tmp_path, monkeypatch):
    """A folder that is served, its address, and an empty cache: ``folder, address, cache``."""
    folder, cache = tmp_path / 'site', tmp_path / 'home' / 'hub' / 'checkpoints'
    folder.mkdir()
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'home'))
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f'http://127.0.0.1:{server.server_port}', cache
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_an_address_is_downloaded_once(website):
    folder, address, cache = website
    torch.save(dict(state_dict=dict(weight=torch.ones(2))), folder / 'a.pth')
    first = load_checkpoint(f'{address}/a.pth')
    (folder / 'a.pth').unlink()
    assert torch.equal(load_checkpoint(f'{address}/a.pth')['state_dict']['weight'], torch.ones(2))
    assert first['state_dict'].keys() == {'weight'}
    (kept,) = cache.iterdir()
    assert kept.name.endswith('-a.pth')


def test_addresses_that_end_alike_have_files_of_their_own(website):
    folder, address, cache = website
    for name in 'ab':
        (folder / name).mkdir()
        torch.save(dict(meta=name), folder / name / 'last.pth')
    for _ in range(2):
        for name in 'ab':
            assert load_checkpoint(f'{address}/{name}/last.pth') == dict(meta=name)
    assert load_checkpoint(f'{address}/a/last.pth?v=2') == dict(meta='a')
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize('what', ['page', 'half', 'unsafe', 'list'])
def test_a_wrong_download_is_named_with_its_address_its_file_and_the_cure(what, website):
    folder, address, cache = website
    path = folder / 'a.pth'
    content = dict(unsafe=dict(meta=Call(os.mkdir, 'x')), list=[1]).get(what, dict(meta='a'))
    torch.save(content, path)
    if what == 'page':
        path.write_text('<html>Sign in</html>')
    elif what == 'half':
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError) as caught:
        load_checkpoint(f'{address}/a.pth')
    (kept,) = cache.iterdir()
    cure = f"checkpoint '{address}/a.pth' (delete '{kept}' to download it anew) "
    assert str(caught.value).startswith(cure)
    assert 'weights_only' not in str(caught.value)
    # the cure works
    torch.save(dict(meta='whole'), path)
    kept.unlink()
    assert load_checkpoint(f'{address}/a.pth') == dict(meta='whole')


def test_what_cannot_be_fetched_is_named_and_nothing_is_kept(website):
    _, address, cache = website
    with pytest.raises(ConnectionError, match=f"'{address}/none.pth' cannot be fetched: .*404"):
        load_checkpoint(f'{address}/none.pth')
    with pytest.raises(ConnectionError, match='cannot be fetched: '):
        load_checkpoint('http://127.0.0.1:1/a.pth')
    assert list(cache.iterdir()) == []


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.pth' does not exist"):
        load_checkpoint(tmp_path / 'none.pth')
    with pytest.raises(IsADirectoryError, match=f"'{tmp_path}' is a folder, not a file"):
        load_checkpoint(tmp_path)


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
    with pytest.raises(UnsafeCheckpointError, match='would need unsafe loading') as caught:
        load_checkpoint(path)
    # what torch advises is how to run it
    assert 'weights_only' not in str(caught.value)
    assert not proof.exists()


@pytest.mark.parametrize(
    ('owner', 'name'),
    [(HistoryBuffer, '__init__'), (HistoryBuffer, '_statistics_methods'), (np.ndarray, 'tofile')],
)
def test_a_pickle_reaches_only_the_statistics_of_a_log(tmp_path, owner, name):
    path = tmp_path / 'curious.pth'
    torch.save(dict(meta=Call(getattr, owner, name)), path)
    with pytest.raises(ValueError, match=f'may not name {name!r}'):
        load_checkpoint(path)


@pytest.mark.filterwarnings(
    'error',
    # of a file that another test left to the garbage collector
    'ignore::ResourceWarning',
    'ignore::pytest.PytestUnraisableExceptionWarning',
)
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


def test_the_error_of_an_unsafe_file_reaches_other_ranks_as_it_is():
    error = UnsafeCheckpointError('x.pth is unsafe')
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_what_torch_has_fetched_is_taken_if_its_name_tells_its_hash(website):
    *_, cache = website
    cache.mkdir(parents=True)
    torch.save(dict(meta='cached'), cache / 'x.pth')
    name = f'net-{file_digest(cache / "x.pth", 8)}.pth'
    (cache / 'x.pth').rename(cache / name)
    assert load_checkpoint(f'http://127.0.0.1:1/{name}') == dict(meta='cached')
    (cache / name).rename(cache / 'net-deadbeef.pth')  # a file of another hash
    with pytest.raises(ConnectionError):
        load_checkpoint('http://127.0.0.1:1/net-deadbeef.pth')


def test_a_download_with_another_hash_than_its_name_is_refused(website):
    folder, address, _ = website
    torch.save(dict(meta='other'), folder / 'net-deadbeef.pth')
    with pytest.raises(ValueError, match='net-deadbeef.pth.* is not the file that its name prom'):
        load_checkpoint(f'{address}/net-deadbeef.pth')
