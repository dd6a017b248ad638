"""Runs are run, with what they need before."""

import json
import shutil
import subprocess

import pytest
import torch

import mmtmix
from mmtmix.reproduction import State, execute, runs_of

pytestmark = pytest.mark.host

# trains nothing: leaves what a training leaves
TRAIN = """
import pathlib, shutil, sys
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
shutil.copy(pathlib.Path(__file__).with_name('last.pth'), folder)
"""


@pytest.fixture
def tools(tmp_path):
    """A folder with a tools/train.py."""
    folder = tmp_path / 'tools'
    folder.mkdir()
    (folder / 'train.py').write_text(TRAIN)
    torch.save(dict(state_dict={}, meta=dict(precision='float32')), folder / 'last.pth')
    return folder


def test_what_comes_before_may_have_variables_of_its_own(cell, tools, tmp_path, monkeypatch):
    monkeypatch.setenv('SEARCH', 'of the shell')
    line = 'DATASET=digits python -c \'import os; open("{}", "w").write(repr(os.environ))\''
    noted = tmp_path / 'noted.txt'
    (run,) = runs_of(
        cell(env={'DATASET': 'fashionmnist', 'NET': 'wrn16_1'}, before=(line.format(noted),)),
        1,
        str(tmp_path / 'runs'),
    )
    said = []
    assert execute([run], tools, say=said.append) == []
    assert run.state is State.DONE
    text = noted.read_text()
    assert "'DATASET': 'digits'" in text
    assert "'NET': 'wrn16_1'" in text
    assert "'SEARCH'" not in text
    assert said[-1].startswith('    done after')
    noted = json.loads((run.folder / 'run.json').read_text())
    assert noted['env']['DATASET'] == 'fashionmnist'
    assert noted['precision'] == 'float32'


@pytest.mark.parametrize(
    ('line', 'why'),
    [
        ("python -c 'raise SystemExit(3)'", 'FAILED with exit status 3'),
        ('ALPHA=1', "a command to run first runs nothing: 'ALPHA=1'"),
    ],
)
def test_a_failure_is_told_and_the_rest_runs(cell, tools, tmp_path, line, why):
    bad = cell('a/1/r/bad', before=(line,))
    runs = [
        run
        for each in (bad, cell('a/1/r/good', env={'NET': 'wrn16_2'}))
        for run in runs_of(each, 1, str(tmp_path / 'runs'))
    ]
    said = []
    assert execute(runs, tools, say=said.append) == runs[:1]
    assert any(why in line for line in said)
    assert runs[1].state is State.DONE


@pytest.mark.skipif(not shutil.which('git'), reason='needs git')
def test_the_commit_of_a_checkout_is_noted(cell, tools, tmp_path, monkeypatch):
    def version_noted(seed):
        (run,) = runs_of(cell(), (seed,), str(tmp_path / 'runs'))
        assert execute([run], tools, say=str) == []
        return run.record['versions']['mmtmix']

    def git(*words):
        settings = ['-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'commit.gpgsign=false']
        command = ['git', *settings, '-C', str(tmp_path), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    source = tmp_path / 'mmtmix' / '__init__.py'
    source.parent.mkdir()
    source.write_text('# a package\n')
    monkeypatch.setattr(mmtmix, '__file__', str(source))
    assert version_noted(0) == mmtmix.__version__
    git('init')
    assert version_noted(1) == mmtmix.__version__  # nothing is committed yet
    git('add', 'mmtmix')
    git('commit', '-m', 'begin')
    commit = git('rev-parse', '--short', 'HEAD')
    assert version_noted(2) == f'{mmtmix.__version__}+g{commit}'
    source.write_text('# changed\n')
    assert version_noted(3) == f'{mmtmix.__version__}+g{commit}.dirty'
