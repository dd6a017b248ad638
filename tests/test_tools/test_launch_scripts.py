"""The shell scripts of tools/, with stand-ins for Python and Slurm that write down their calls."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
SCRIPTS = ('torchrun', 'dist_train', 'dist_test', 'dist_generate', 'slurm_train')
# as of a cluster and a launch in which the tests themselves may run
CLEARED = ('NNODES', 'NODE_RANK', 'MASTER_ADDR', 'PORT', 'RDZV_ID', 'MAX_RESTARTS', 'PYTHON')
WRITE = 'printf "%s\\n" "$(basename "$0")" "$@" "" >> "$CALLS"\n'
STAND_INS = dict(
    python=f'{WRITE}env | grep -E "^(PORT|TORCH_ELASTIC_|RDZV_ID)" > "$CALLS.env"; eval "$WORK"',
    # runs the command of the task, as on each node
    srun=f'{WRITE}while [[ $1 == --* ]]; do shift; done; SLURM_STEP_ID=0 exec "$@"',
    sbatch=f'{WRITE}while [[ $1 == --* ]]; do shift; done; cp "$1" "$CALLS.job"',
    scontrol=f'{WRITE}[ "$1" != show ] || printf "node3\\nnode4\\n"',
    scancel=f'{WRITE}kill "$(cat "$CALLS.pid")"',
)


class Shell:
    """Runs scripts where only the stand-ins and the system's programs are on PATH."""

    def __init__(self, folder):
        self.folder, self.calls = folder, folder / 'calls'
        self.bash = shutil.which('bash')
        (folder / 'bin').mkdir()
        for name, body in STAND_INS.items():
            self.add(f'bin/{name}', body)
        self.env = {name: value for name, value in os.environ.items() if name not in CLEARED}
        system = os.pathsep.join(['/usr/local/bin', '/usr/bin', '/bin'])
        self.env |= dict(PATH=f'{folder / "bin"}{os.pathsep}{system}', CALLS=str(self.calls))
        self.env |= dict(WORK='', SLURM_JOB_ID='123456', SLURM_JOB_NODELIST='node[3-4]')

    def add(self, name, body):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/usr/bin/env bash\n{body}\n')
        path.chmod(0o755)

    def start(self, script, *args, **env):
        self.calls.write_text('')
        command = [self.bash, str(script), *args]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.env | env, stdout=pipe, stderr=pipe, text=True)

    def __call__(self, script, *args, **env):
        process = self.start(TOOLS / f'{script}.sh', *args, **env)
        self.printed, self.error = process.communicate(timeout=60)
        self.code = process.returncode
        calls = [call.splitlines() for call in self.calls.read_text().split('\n\n') if call]
        return {name: args for name, *args in calls}


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


def options_of(words):
    """Return torchrun's options before the module, as text."""
    assert words[:2] == ['-m', 'torch.distributed.run']
    return ' '.join(words[2 : words.index('-m', 1)])


@pytest.mark.parametrize(
    ('env', 'wanted'),
    [
        ({}, '--nnodes=1 --max_restarts=0 --standalone'),
        (dict(MASTER_ADDR='elsewhere', NODE_RANK='0'), '--nnodes=1 --max_restarts=0 --standalone'),
        (dict(MAX_RESTARTS='3'), '--nnodes=1 --max_restarts=3 --standalone'),
        (
            dict(PORT='29511'),
            '--nnodes=1 --max_restarts=0 --master_addr=127.0.0.1 --master_port=29511',
        ),
        (
            dict(RDZV_ID='mine'),
            '--nnodes=1 --max_restarts=0 --rdzv_backend=c10d --rdzv_endpoint=localhost:0 '
            '--rdzv_id=mine',
        ),
        (
            dict(NNODES='2', NODE_RANK='1', MASTER_ADDR='a'),
            '--nnodes=2 --max_restarts=0 --node_rank=1 --master_addr=a --master_port=29500',
        ),
        (
            dict(NNODES='2', MASTER_ADDR='a', RDZV_ID='x y', PORT='1234'),
            '--nnodes=2 --max_restarts=0 --rdzv_backend=c10d --rdzv_endpoint=a:1234 --rdzv_id=x y',
        ),
        (
            dict(NNODES='1:4', MASTER_ADDR='a', RDZV_ID='x', MAX_RESTARTS='2'),
            '--nnodes=1:4 --max_restarts=2 --rdzv_backend=c10d --rdzv_endpoint=a:29500 '
            '--rdzv_id=x',
        ),
    ],
)
def test_torchrun_gets_what_the_machines_need(shell, env, wanted):
    words = shell('dist_train', 'my config.py', '4', '--work-dir', 'a b', **env)['python']
    assert shell.code == 0, shell.error
    assert options_of(words) == wanted.replace(' --max', ' --nproc_per_node=4 --max', 1)
    train = ['-m', 'mmtmix', 'train', 'my config.py', '--launcher', 'pytorch']
    assert words[-8:] == [*train, '--work-dir', 'a b']


@pytest.mark.parametrize(
    ('env', 'message'),
    [
        (dict(NNODES='2'), 'NNODES=2 needs MASTER_ADDR'),
        (dict(NNODES='2', MASTER_ADDR='a'), 'NNODES=2 needs NODE_RANK'),
        (
            dict(NNODES='1:4', MASTER_ADDR='a', NODE_RANK='0'),
            'NNODES=1:4 with MAX_RESTARTS=0 cannot',
        ),
        (
            dict(NNODES='2', MASTER_ADDR='a', NODE_RANK='0', MAX_RESTARTS='1'),
            'NNODES=2 with MAX_RESTARTS=1 cannot fix ranks; unset NODE_RANK',
        ),
        (dict(NNODES='two'), 'NNODES=two must be a number'),
        (dict(MAX_RESTARTS='-1'), 'MAX_RESTARTS=-1 must be a number'),
        (dict(PYTHON='/nowhere/python'), 'PYTHON=/nowhere/python is no program'),
        (dict(PATH='/nowhere'), 'neither python nor python3 is on PATH'),
    ],
)
def test_missing_settings_are_named_before_anything_starts(shell, env, message):
    assert shell('torchrun', '2', 'x.py', **env) == {}
    assert shell.code == 2
    assert shell.error.startswith(f'torchrun.sh: {message}')


@pytest.mark.parametrize('number', ['0', '-1', 'two'])
def test_a_wrong_number_of_processes_starts_nothing(shell, number):
    assert shell('dist_train', 'c.py', number) == {}
    assert shell.code == 2
    assert 'the number of processes must be at least 1, got ' + number in shell.error


def test_python_is_that_of_the_environment_that_would_be_used(shell):
    shell.add('venv/bin/python', WRITE.replace('$(basename "$0")', '$0'))
    own = str(shell.folder / 'venv' / 'bin' / 'python')
    assert list(shell('dist_test', 'c.py', 'x.pth', '2', PYTHON=own)) == [own]
    words = shell('dist_test', 'c.py', 'x.pth', '2', '--out', 'm.json')['python']
    test = ['-m', 'mmtmix', 'test', 'c.py', 'x.pth', '--launcher', 'pytorch']
    assert words[-9:] == [*test, '--out', 'm.json']
    words = shell('dist_generate', 'c.py', '2', '--num', '9')['python']
    assert words == ['-m', 'mmtmix', 'generate', 'c.py', *words[-4:]]
    (shell.folder / 'bin' / 'python').rename(shell.folder / 'bin' / 'python3')
    assert 'python3' in shell('dist_train', 'c.py', '2')


def test_exit_status_is_that_of_the_processes(shell):
    for script, before in (('dist_train', ()), ('slurm_train', ('part', 'job'))):
        shell(script, *before, 'c.py', '2', WORK='exit 9')
        assert shell.code == 9


def test_slurm_starts_a_torchrun_per_node(shell):
    env = dict(NODES='2', GPUS_PER_NODE='4', MAX_RESTARTS='1', SRUN_ARGS='--account=x --qos=y')
    calls = shell('slurm_train', 'part', 'my job', 'c.py', '--work-dir', 'a b', **env)
    assert shell.code == 0, shell.error
    wanted = ['--nodes=2', '--ntasks-per-node=1', '--gres=gpu:4', '--cpus-per-task=20']
    wanted += ['--kill-on-bad-exit=1', '--partition=part', '--job-name=my job']
    assert calls['srun'][:10] == [*wanted, '--signal=TERM@120', '--account=x', '--qos=y']
    assert calls['scontrol'] == ['show', 'hostnames', 'node[3-4]']
    assert options_of(calls['python']) == (
        '--nnodes=2 --nproc_per_node=4 --max_restarts=1 --rdzv_backend=c10d '
        '--rdzv_endpoint=node3:23456 --rdzv_id=123456.0'
    )
    train = ['-m', 'mmtmix', 'train', 'c.py', '--work-dir', 'a b', '--launcher', 'pytorch']
    assert calls['python'][-8:] == train
    assert 'TORCH_ELASTIC_SHUTDOWN_TIMEOUT=120' in Path(f'{shell.calls}.env').read_text()
    alone = shell('slurm_train', 'part', 'job', 'c.py', NODE_RANK='5', PORT='')['python']
    assert '--rdzv_endpoint=localhost:0 --rdzv_id=123456.0' in options_of(alone)


def test_batch_job_that_is_stopped_is_queued_again_and_one_that_fails_is_not(shell):
    env = dict(BATCH='1', GRACE='60', SBATCH_ARGS='--time=04:00:00')
    words = shell('slurm_train', 'part', 'job', 'c.py', '--amp', **env)['sbatch']
    assert shell.code == 0, shell.error
    assert words[:2] == ['--partition=part', '--job-name=job']
    assert {'--requeue', '--open-mode=append', '--signal=B:TERM@60'} <= set(words)
    assert '--time=04:00:00' in words
    job, args = Path(f'{shell.calls}.job'), words[words.index('--in-job') :]

    work = 'trap "exit 1" TERM; echo $$ > "$CALLS.pid"; while true; do sleep 0.05; done'
    process = shell.start(job, *args, WORK=work)
    pid = Path(f'{shell.calls}.pid')
    end = time.monotonic() + 30
    while not (pid.is_file() and pid.read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)  # near the time limit, to the shell alone
    process.communicate(timeout=60)
    calls = shell.calls.read_text()
    assert process.returncode == 1
    assert 'scancel\n--signal=TERM\n123456\n' in calls
    assert 'scontrol\nrequeue\n123456\n' in calls
    assert shlex.join(['mmtmix', 'train', 'c.py', '--amp']).replace(' ', '\n') in calls

    for code in (0, 3):
        process = shell.start(job, *args, WORK=f'exit {code}')
        process.communicate(timeout=60)
        assert process.returncode == code
        assert 'requeue' not in shell.calls.read_text()


@pytest.mark.parametrize('script', SCRIPTS)
def test_script_without_arguments_prints_its_usage(shell, script):
    assert shell(script) == {}
    assert shell.code == 2 and not shell.printed
    assert f'tools/{script}.sh ' in shell.error.splitlines()[1]
    assert len(shell.error.splitlines()) in (3, 4)
