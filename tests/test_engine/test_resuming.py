"""What a stopped command says about what is saved and how to go on."""

import contextlib
import json
import os

import pytest

from mmtmix.engine.resuming import command_again, describe_checkpoint_of, describe_shards_of
from mmtmix.utils.claims import claim_file


@pytest.mark.parametrize(
    ('argv', 'words'),
    [
        (['a.py'], 'a.py --resume'),
        (['a.py', '--resume'], 'a.py --resume'),
        (['a.py', '--resume', 'epoch_1.pth', '--amp'], 'a.py --amp --resume'),
        (['a.py', '--resume=epoch_1.pth'], 'a.py --resume'),
        (['--resume', '--amp', 'a.py'], '--amp a.py --resume'),
        (
            ['a.py', '--cfg-options', "a='b c'"],
            "a.py --cfg-options 'a='\"'\"'b c'\"'\"'' --resume",
        ),
    ],
)
def test_the_command_to_go_on_resumes_from_what_is_newest(monkeypatch, tmp_path, argv, words):
    monkeypatch.chdir(tmp_path)
    assert command_again('train', argv, resume=True) == f'mmtmix train {words}'


def test_the_command_to_begin_again_is_the_same(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert command_again('generate', ['a']) == 'mmtmix generate a'


def test_a_checkpoint_is_named_if_it_is_there(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert describe_checkpoint_of('run') == 'no checkpoint is in run yet'
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run/last_checkpoint').write_text(str(tmp_path / 'run/epoch_3.pth'))
    assert describe_checkpoint_of('run') == 'no checkpoint is in run yet'
    (tmp_path / 'run/epoch_3.pth').touch()
    assert describe_checkpoint_of('run') == 'saved is run/epoch_3.pth'


def test_shards_are_counted(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert describe_shards_of('set') == 'no shard is in set yet'
    (tmp_path / 'set').mkdir()
    (tmp_path / 'set/settings.json').write_text(json.dumps(dict(num_shards=4)))
    (tmp_path / 'set/shard-00000.safetensors').touch()
    told = 'the set in set is not complete: 1 of 4 shards are there'
    assert describe_shards_of('set') == told
    (tmp_path / 'set/dataset.json').touch()  # damaged
    assert describe_shards_of('set') == told
    with contextlib.ExitStack() as stack:
        for number in (0, 2, 3):
            claim = claim_file(tmp_path / f'set/shard-0000{number}.safetensors')
            stack.callback(claim.release)
        who = f'2 in work by process {os.getpid()} on {os.uname().nodename} since '
        assert describe_shards_of('set').startswith(f'{told}, {who}')
        assert describe_shards_of('set').endswith(') and 1 more')
