"""A user's error ends any tool by one line on stderr and exit status 2."""

import os
import re
import signal

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import mmtmix
from mmtmix.engine.stage_runs import run_stages
from mmtmix.engine.stages import Stage
from mmtmix.utils import load_config, run_command
from mmtmix.utils.command import exit_status

pytestmark = pytest.mark.host

DEMO = 'configs/transformmix/wrn10_fashionmnist_demo.py'
SIMPLE = 'configs/simple/wrn16_fashionmnist_mini.py'
SET = 'configs/supermix/generate_wrn16_fashionmnist_mini.py'
ARCH = ('--arch', 'resnet50_imagenet')
OPTIONS = '--cfg-options'

FILES = {
    'syntax.py': 'a = 1\nb = = 2\n',
    'inherits_syntax.py': "_base_ = 'syntax.py'\n",
    'name.py': 'a = 1\nb = nothing\n',
    'zero.py': 'a = 1 / 0\n',
    'base.py': "_base_ = 'nowhere.py'\n",
    'twice.py': "_base_ = ['one.py', 'two.py']\n",
    'one.py': 'a = 1\n',
    'two.py': 'a = 2\n',
    'import.py': "custom_imports = ['no_such_module']\n",
    'imports.py': 'custom_imports = 3\n',
    'no_import.py': 'import no_such_module\na = no_such_module.b\n',
    'requires.py': "requires = ['teacher.py']\n",
    'circle.py': "requires = [dict(config='circle.py', produces='work/last.pth')]\n",
    'empty.py': '',
    'text.pth': 'no checkpoint\n',
    'bad.yaml': 'a: [1\n',
    'list.yaml': '- 1\n',
    'page.md': 'no blocks\n',
    'file': '',
}

CASES = [
    ('train', ('nowhere.py',), "config 'nowhere.py' was not found"),
    ('train', ('.',), "config '.' was not found"),
    ('train', ('syntax.py',), "syntax.py', line 2: SyntaxError: invalid syntax"),
    ('train', ('inherits_syntax.py',), "/syntax.py', line 2: SyntaxError"),
    ('train', ('name.py',), "name.py', line 2: NameError: name 'nothing' is not defined"),
    ('train', ('zero.py',), "zero.py', line 1: ZeroDivisionError"),
    ('train', ('base.py',), 'nowhere.py'),
    ('train', ('twice.py',), 'Duplicate key'),
    ('train', ('import.py',), "custom_imports names 'no_such_module'"),
    ('train', ('imports.py',), 'custom_imports must be a list'),
    ('train', ('no_import.py',), 'model must be a dict, got None'),
    ('train', ('requires.py',), 'requires in requires.py must list dict(config=..., produces='),
    ('train', ('circle.py',), 'configs require each other'),
    ('train', ('empty.py',), 'empty.py'),
    ('train', (DEMO, OPTIONS, 'model.train_cfg.augments.alhpa=1'), 'alhpa'),
    ('train', (DEMO, OPTIONS, 'train_dataloader=3'), 'train_dataloader'),
    ('train', (DEMO, OPTIONS, 'custom_imports.x.y=3'), "custom_imports has no 'x'"),
    ('train', (SIMPLE, '--resume', 'nowhere.pth'), "to resume 'nowhere.pth' does not exist"),
    ('train', (SIMPLE, '--auto-scale-lr'), '--auto-scale-lr needs auto_scale_lr'),
    ('train', (DEMO, '--no-stages'), 'requires files that do not exist'),
    ('train', (SIMPLE, '--work-dir', 'file/x'), 'file'),
    (
        'train',
        (SIMPLE, OPTIONS, 'train_dataloader.dataset.data_root=nowhere'),
        'train_dataloader.dataset: FashionMNISTIdx',
    ),
    ('test', (SIMPLE, 'nowhere.pth'), 'nowhere.pth'),
    ('test', (SIMPLE, 'text.pth'), 'text.pth'),
    ('test', (SIMPLE, 'text.pth', '--out', 'out.txt'), '--out must end in .json or'),
    ('test', (SIMPLE, 'text.pth', '--out', 'o.json', '--out-item', 'pred'), 'end in .pkl or'),
    ('test', (SIMPLE, 'text.pth', '--out', 'folder.json'), "and 'folder.json' is a folder"),
    ('test', (SIMPLE, 'text.pth', '--out', 'file/out.json'), 'is a file; give a folder'),
    ('generate_mixed', (SIMPLE, '--num', '8', '--out', 'set'), 'none of the augments'),
    ('generate_mixed', (SET, '--num', '0', '--out', 'set'), 'num must be an integer >= 1'),
    ('generate_mixed', (SET, '--out', 'file'), "'file' is a file; give a folder"),
    ('generate_mixed', (SET, '--out', 'set', '--device', 'gpu'), '--device must be a device'),
    ('generate_mixed', (SET, '--out', 'set', OPTIONS, 'generation.n=2'), "generation has no 'n'"),
    ('visualize_mix', (DEMO, '--out', 'mix.xyz'), 'its suffix must be one of'),
    ('visualize_mix', (DEMO, '--out', 'folder.png'), "and 'folder.png' is a folder"),
    ('visualize_mix', (DEMO, '--out', 'a.png', '--num', '0'), '--num must be an integer >= 1'),
    ('visualize_mix', (DEMO, '--out', 'a.png', '--num-mix', '2'), 'is not for TransformMix'),
    ('visualize_mix', (DEMO, '--out', 'a.png'), 'does not exist'),
    ('visualize_mixers', (SIMPLE, '--out', 'a.xyz'), 'its suffix must be one of'),
    ('visualize_mixers', (SIMPLE, '--out', 'a.png', '--device', 'cuda:99'), '--device must be'),
    ('visualize_mixers', (SIMPLE, '--out', 'a.png', '--checkpoint', 'no.pth'), 'no.pth'),
    ('benchmark_mixers', ('--batch-size', '3'), '--batch-size must be an integer >= 4'),
    ('benchmark_mixers', ('--threads', '0'), '--threads must be an integer >= 1'),
    ('benchmark_mixers', ('--page', 'nowhere.md'), "--page: 'nowhere.md' does not exist"),
    ('benchmark_mixers', ('--no-measure',), 'name it with --page'),
    ('benchmark_mixers', ('--json', 'folder.json'), "and 'folder.json' is a folder"),
    ('benchmark_mixers', ('--config', 'nowhere.py'), "config 'nowhere.py' was not found"),
    ('benchmark_crd', ('--num-classes', '1'), '--num-classes must be an integer >= 2'),
    ('benchmark_crd', ('--batch-size', '9', '--num-images', '8'), '--batch-size must be'),
    ('convert_checkpoint', ('nowhere.pth', 'o.pth', *ARCH), 'nowhere.pth'),
    ('convert_checkpoint', ('text.pth', 'o.pth', *ARCH), 'text.pth'),
    ('convert_checkpoint', ('text.pth', 'folder.json', *ARCH), 'is a folder'),
    ('convert_checkpoint', ('text.pth', 'file', *ARCH), "'file' exists"),
    ('convert_checkpoint', ('text.pth', 'file/o.pth', *ARCH), 'is a file; give a folder'),
    ('convert_checkpoint', ('text.pth', 'o', *ARCH, '--num-classes', '0'), '--num-classes must'),
    ('reproduce', ('--experiments', 'nowhere.yaml', 'list'), 'nowhere.yaml'),
    ('reproduce', ('--experiments', 'bad.yaml', 'list'), 'is no valid YAML'),
    ('reproduce', ('--experiments', 'list.yaml', 'list'), 'must hold a mapping'),
    ('reproduce', ('show', 'paper/none'), "no cell 'paper/none'"),
    ('reproduce', ('run', 'transformmix', '--seeds', '0'), '--seeds must be an integer >= 1'),
    ('reproduce', ('run', 'transformmix', '--seed', '-1'), '--seed must be an integer >= 0'),
    ('reproduce', ('list', '--gpus', '0'), '--gpus must be an integer >= 1'),
    ('reproduce', ('--root', 'file', 'run', 'transformmix'), "--root: 'file' cannot be made"),
    ('reproduce', ('report', '--out', 'file'), "--out: 'file' cannot be made"),
    ('reproduce', ('report', '--results', 'no.jsonl'), "results file 'no.jsonl' does not exist"),
    ('reproduce', ('export', '--results', 'folder.json'), "and 'folder.json' is a folder"),
    ('evidence', ('--page', 'nowhere.md', '--check'), 'nowhere.md'),
    ('evidence', ('--page', 'page.md', '--results', 'no.jsonl'), 'no.jsonl'),
    ('evidence', ('--page', 'file/page.md'), 'is a file; give a folder'),
    ('list_zoo', ('--out', 'folder.json'), '--out must end in .md'),
    ('list_teachers', ('--out', 'file/x.md'), 'is a file; give a folder'),
    ('prepare_data', ('mnist',), 'NAME must be one of'),
    ('convert_checkpoint', ('a', 'b', '--arch', 'none'), '--arch must be one of'),
    ('prepare_data', ('cifar100', '--root', 'none', '--offline'), 'CIFAR-100 is not complete in'),
    ('make_fashion_mnist_subset', ('nowhere', 'out'), 'nowhere'),
    ('make_fashion_mnist_subset', ('out', 'out'), 'OUT_DIR must not be SRC_DIR'),
    ('make_fashion_mnist_subset', ('nowhere', 'file'), "OUT_DIR: 'file' cannot be made"),
]
# what these find comes with a line for each command, or for each place to look
LISTS = ('--no-stages', 'data_root=nowhere', 'cifar100')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('errors')
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / 'folder.json').mkdir()
    (folder / 'folder.png').mkdir()
    return folder


@pytest.fixture(scope='module')
def tools(load):
    loaded = {}
    return lambda name: loaded.setdefault(name, load(name))


@pytest.mark.parametrize(
    ('name', 'args', 'word'), CASES, ids=[f'{case[0]} {" ".join(case[1])}' for case in CASES]
)
def test_a_users_error_is_one_line_and_status_2(
    folder, tools, capfd, monkeypatch, name, args, word
):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(Runner, 'train', None)
    before = sorted(path.name for path in folder.rglob('*'))
    assert run_command(tools(name).main, f'tools/{name}.py', args) == 2
    shown = capfd.readouterr().err
    assert 'Traceback' not in shown
    lines = [line for line in shown.splitlines() if not line.startswith('warning: ')]
    assert lines[0].startswith(f'{name}.py: error: ')
    assert word in '\n'.join(lines)
    assert len(lines) == 1 or any(part in ' '.join(args) for part in LISTS)
    assert sorted(path.name for path in folder.rglob('*')) == before  # nothing was begun


@pytest.mark.parametrize(
    ('name', 'args'),
    [
        ('train', ()),
        ('train', (SIMPLE, '--launcher', 'ssh')),
        ('test', (SIMPLE,)),
        ('generate_mixed', (SET, '--num', 'many')),
        ('visualize_mix', (DEMO,)),
        ('visualize_mixers', (SIMPLE, '--out', 'a.png', '--lam', '2')),
        ('reproduce', ()),
        ('demo', ('x',)),
    ],
)
def test_arguments_that_cannot_be_parsed_have_status_2_too(tools, capsys, name, args):
    with pytest.raises(SystemExit) as ended:
        run_command(tools(name).main, name, args)
    assert ended.value.code == 2
    assert re.search(r'error: .+\n$', capsys.readouterr().err)


def test_debug_shows_the_traceback(tools, capsys):
    assert run_command(tools('train').main, 'train.py', ['nowhere.py', '--debug']) == 2
    shown = capsys.readouterr().err
    assert shown.startswith('Traceback (most recent call last)')
    assert "FileNotFoundError: config 'nowhere.py' was not found" in shown


@pytest.mark.parametrize(
    ('option', 'warns'),
    [
        ('optim_wrapper.optimizer.lrr=1', "'lrr' there, and it was added; did you mean 'lr'"),
        ('train_cfg.max_epoch=1', "did you mean 'max_epochs'"),
        ('randomness.deterministic=True', ''),
        ('optim_wrapper.optimizer.lr=1', ''),
        ('my_own_settings.a.b=1', ''),
    ],
)
def test_an_option_that_resembles_another_one_is_added_with_a_warning(capsys, option, warns):
    name, value = option.split('=')
    cfg = load_config(SIMPLE, {name: value})
    at = cfg
    for key in name.split('.'):
        at = at[key]
    assert at == value
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == bool(warns)
    assert not warns or (lines[0].startswith('warning: --cfg-options') and warns in lines[0])


def fail(error):
    def main(argv):
        raise error

    return main


@pytest.mark.parametrize('error', [AssertionError('a'), IndexError('b'), KeyError('c')])
def test_a_fault_of_ours_keeps_its_traceback(capsys, error):
    assert run_command(fail(error), 'tool.py', []) == 1
    assert capsys.readouterr().err.startswith('Traceback')


def test_an_error_of_torch_keeps_its_traceback_and_a_failure_of_ours_does_not(
    capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    def multiply(argv):
        torch.ones(2, 3) @ torch.ones(2, 3)

    assert run_command(multiply, 'tool.py', []) == 1
    assert capsys.readouterr().err.startswith('Traceback')

    def fail_on_purpose(argv):
        needed = Config(dict(work_dir='a'))
        cfg = Config(dict(work_dir='work', requires=[dict(config='a.py', produces='a/last.pth')]))
        run_stages([Stage('a.py', needed, 'a/last.pth'), Stage('b.py', cfg)], lambda stage: None)

    assert run_command(fail_on_purpose, 'tool.py', []) == 1
    shown = capsys.readouterr().err
    assert shown.startswith('tool.py: error: a.py ended without a/last.pth')
    assert exit_status(RuntimeError('raised by nobody')) is None


@pytest.mark.parametrize(('rank', 'world'), [('1', '2'), ('0', '2'), ('1', '1')])
def test_one_rank_of_a_launch_shows_the_error_first(capsys, monkeypatch, rank, world):
    slept = []
    monkeypatch.setattr('time.sleep', slept.append)
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'a')
    monkeypatch.setenv('RANK', rank)
    monkeypatch.setenv('WORLD_SIZE', world)
    assert run_command(fail(ValueError('no')), 'tool.py', []) == 2
    waits = (rank, world) == ('1', '2')
    assert bool(slept) == waits
    assert capsys.readouterr().err == f'tool.py: error: {"rank 1: " if waits else ""}no\n'


def test_the_end_of_the_reader_of_a_pipe_is_no_fault(capsys, monkeypatch):
    """As with `| head -n 1`; what is printed later goes nowhere."""
    read, write = os.pipe()
    with os.fdopen(write, 'w') as pipe:
        monkeypatch.setattr('sys.stdout', pipe)
        os.close(read)
        assert run_command(lambda argv: print('a line'), 'tool.py', []) == 128 + signal.SIGPIPE
        print('another line', flush=True)
        assert run_command(fail(BrokenPipeError('of a worker')), 'tool.py', []) == 1


def test_what_the_host_stack_prints_on_import_goes_to_stderr(capsys, monkeypatch):
    monkeypatch.setattr(mmtmix.importlib, 'import_module', lambda name: print('noise'))
    mmtmix.register()
    captured = capsys.readouterr()
    assert captured.out == '' and 'noise' in captured.err
