"""The command: what it loads before it has parsed, its help, its exit statuses and its names."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.device import get_device

from mmtmix import __version__, program
from mmtmix.apps.benchmark import TOPICS
from mmtmix.apps.benchmark.networks import NETWORKS
from mmtmix.apps.benchmark.presets import PRESETS
from mmtmix.apps.benchmark.topics import SWEEPS
from mmtmix.cli import arguments, benchmark, main, visualize_mix
from mmtmix.cli.parser import CommandParser
from mmtmix.engine.resuming import command_again
from mmtmix.models.teachers.channel_order import CHANNEL_ORDERS
from mmtmix.utils import DTYPES
from mmtmix.utils.variants import parse_variants
from mmtmix.visualization import LAYOUTS

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {'torch', 'mmengine', 'mmcv', 'mmpretrain', 'numpy', 'cv2', 'matplotlib'}
HELPS = """
import contextlib, io, json, sys
sys.orig_argv = ['python', '-m', 'mmtmix']
from mmtmix.cli import main
texts = {}
for name in main.COMMANDS:
    with contextlib.redirect_stdout(io.StringIO()) as text:
        try:
            main.main([*name.split(), '--help'])
        except SystemExit as ended:
            assert ended.code == 0
    texts[name] = text.getvalue()
print(json.dumps(dict(texts=texts, modules=sorted(sys.modules))))
"""


@pytest.fixture(scope='module')
def helps():
    """The help of every command, and the modules that all of them have loaded."""
    done = subprocess.run(
        [sys.executable, '-c', HELPS], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_no_help_imports_torch_or_the_host_stack(helps):
    assert not HEAVY & {name.partition('.')[0] for name in helps['modules']}
    assert helps['texts'].keys() == main.COMMANDS.keys() == {*program.TOOLS, 'init'}


def test_every_help_begins_with_an_example(helps):
    for name, text in helps['texts'].items():
        example, _, rest = text.partition('\n')
        assert example.startswith(f'example: mmtmix {name} ')
        assert rest.startswith('\nusage: mmtmix ') and '--debug' in rest
        main.parse(name, example.removeprefix(f'example: mmtmix {name} ').split())


@pytest.mark.parametrize(
    'name', ['benchmark', 'convert', 'generate', 'report', 'test', 'visualize mix']
)
def test_what_writes_a_file_has_out(helps, name):
    assert '--out' in helps['texts'][name]


def test_the_module_runs_as_a_program_without_the_host_stack():
    command = [sys.executable, '-X', 'importtime', '-m', 'mmtmix', 'train', '--help']
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith('example: python -m mmtmix train ')
    loaded = {
        line.rpartition('|')[2].strip().partition('.')[0] for line in done.stderr.split('\n')
    }
    assert 'mmtmix' in loaded and not HEAVY & loaded


@pytest.mark.parametrize(
    ('words', 'status', 'said'),
    [
        (['--version'], 0, f'mmtmix {__version__}'),
        (['--help'], 0, 'commands (mmtmix COMMAND --help)'),
        ([], 2, 'commands (mmtmix COMMAND --help)'),
        (['trian'], 2, "no command 'trian'; did you mean 'train'?"),
        (['visualize'], 2, "no command 'visualize'"),
        (['visualize', '--help'], 0, 'visualize mixers'),
        (['visualize', 'mixer'], 2, "did you mean 'visualize mixers'?"),
        (['train', 'nowhere.py'], 2, "mmtmix train: error: config 'nowhere.py' was not found"),
        (['prepare', 'none'], 2, 'mmtmix prepare: error: NAME must be one of'),
        (['prepare', '--list'], 0, 'Tiny-ImageNet'),
        (['convert', '--list'], 0, 'resnet50_imagenet'),
    ],
)
def test_exit_statuses(capfd, words, status, said):
    assert main.main(words) == status
    captured = capfd.readouterr()
    assert said in (captured.err if status else captured.out)


@pytest.mark.parametrize(
    'words',
    [
        ['train', 'a.py', '--cfg-options', 'lr'],
        ['train', 'a.py', '--variant', '=a'],
        ['convert', 'a.pth', 'b.pth', '--out', 'c.pth', '--arch', 'x'],
        ['convert', 'a.pth'],
        ['prepare'],
        ['generate', 'a.py', '--export-dir', 'tars'],
        ['reproduce', 'run', 'a', '--jobs', '2', '--submit', 'local'],
        ['reproduce', 'retry', '--partition', 'gpu'],
        ['reproduce', 'run', 'a', '--time', '1:00:00', '--jobs', '2'],
        ['reproduce', 'run', 'a', '--submit', 'slurm', '--slurm', 'account'],
    ],
)
def test_wrong_arguments_end_before_anything_is_imported(capsys, words):
    with pytest.raises(SystemExit) as ended:
        main.parse(words[0], words[1:])
    assert ended.value.code == 2
    assert 'error: ' in capsys.readouterr().err


def test_old_names_of_the_arguments_still_work():
    assert main.parse('benchmark', ['--out', 'a.json']).json == 'a.json'
    assert main.parse('benchmark', ['--bfloat16']).dtype == 'bfloat16'
    assert main.parse('convert', ['a', 'b', '--arch', 'c']).out == 'b'
    assert main.parse('prepare', ['cars', '--root', 'a']).root == Path('a')
    assert main.parse('reproduce', ['export', '--results', 'a']).results == Path('a')


def test_what_the_parser_lists_is_what_there_is():
    assert (tuple(NETWORKS), tuple(TOPICS)) == (benchmark.TEACHERS, benchmark.TOPICS)
    assert (tuple(SWEEPS), tuple(PRESETS)) == (benchmark.SWEEPS, benchmark.PRESETS)
    assert tuple(DTYPES) == benchmark.DTYPES
    assert (visualize_mix.LAYOUTS, visualize_mix.CHANNEL_ORDERS) == (LAYOUTS, CHANNEL_ORDERS)


def test_overrides_are_read_by_mmengines_rules(monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0')
    words = ['a.py', '--cfg-options', 'a.b=[1,2]', 'c="x=y"', '--cfg-options', 'd=1e-3']
    args = main.parse('train', [*words, '--variant', 'A=1', 'B=x=y', '--variant', 'C='])
    arguments.complete(args)
    assert args.cfg_options == {'a.b': [1, 2], 'c': 'x=y', 'd': 1e-3}
    assert args.variant == dict(A='1', B='x=y', C='')
    with pytest.raises(ValueError, match='given twice'):
        parse_variants(['A=1', 'A=2'])


@pytest.mark.parametrize(
    ('script', 'expected'),
    [
        ('/usr/bin/mmtmix', 'mmtmix train'),
        ('/x/mmtmix/__main__.py', 'python -m mmtmix train'),
        ('tools/generate_mixed.py', 'python tools/train.py'),
        ('own.py', 'mmtmix train'),
    ],
)
def test_messages_name_the_command_that_the_user_used(monkeypatch, script, expected):
    monkeypatch.setattr(sys, 'argv', [script])
    assert program.program('train') == expected
    argv = ['a b.py', '--resume', 'x.pth', '--amp']
    assert command_again('train', argv, resume=True) == f"{expected} 'a b.py' --amp --resume"


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['python', '-m', 'mmtmix', 'train'], True),
        (['python', '-u', '-X', 'dev', '-m', 'mmtmix'], True),
        (['python', '/env/bin/mmtmix', 'train'], True),
        (['python', '-m', 'other', '-m', 'mmtmix'], False),
        (['python', '-c', 'from multiprocessing.spawn import x', '-m', 'mmtmix'], False),
        (['python', 'tools/train.py', 'mmtmix'], False),
        (['python'], False),
    ],
)
def test_only_the_command_itself_puts_registering_off(monkeypatch, words, expected):
    monkeypatch.setattr(sys, 'orig_argv', words)
    assert program.is_command() is expected


def test_a_parser_without_an_example_has_the_usual_help():
    assert CommandParser(prog='x').format_help().startswith('usage: x')
    assert isinstance(CommandParser(), argparse.ArgumentParser)


@pytest.mark.parametrize(
    ('words', 'device'),
    [
        (['train', 'a.py'], get_device()),
        (['generate', 'a.py', '--device', 'cuda:1'], 'cuda:1'),
        (['convert', '--list'], None),
    ],
)
def test_commands_that_run_networks_set_up_the_allocator(monkeypatch, words, device):
    devices = []
    monkeypatch.setattr('mmtmix.utils.keep_freed_memory', devices.append)
    monkeypatch.setattr(main, 'work', lambda name, args: 7)
    assert main.run(words[0], words[1:], 'mmtmix') == 7
    assert devices == ([device] if device else [])
