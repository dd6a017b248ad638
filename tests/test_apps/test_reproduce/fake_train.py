"""Stands for ``tools/train.py``: leaves what a training leaves, and imports nothing of ours.

``plan.json`` beside it has, for each work dir, the file that is produced, the digest, and what
happens in each attempt: ``ok``, ``fail``, ``wait`` for a signal, or a kill at some moment.
"""

import fcntl
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = Path(sys.argv[sys.argv.index('--work-dir') + 1])
PLAN = json.loads((HERE / 'plan.json').read_text())[str(FOLDER)]
HISTORY = HERE / 'history'


def note(event: str) -> int:
    """Add a line to the history, and return how many such lines there were before."""
    line = f'{event} {FOLDER}\n'
    with open(HISTORY, 'a+') as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        file.seek(0)
        before = file.read().splitlines(keepends=True).count(line)
        file.write(line)
    return before


def die(moment: str) -> None:
    """Die as by ``kill -9``, if that is planned for this moment."""
    if action == f'killed {moment}':
        os.kill(os.getpid(), signal.SIGKILL)


def record(state: str, **fields: object) -> None:
    """Write the record."""
    content = dict(
        digest=PLAN['digest'], state=state, host=socket.gethostname(), processes=1, attempts=1
    )
    content |= dict(seconds=2.0, progress=[2, 10], error=None) | fields
    (FOLDER / '.record').write_text(json.dumps(content))
    (FOLDER / '.record').rename(FOLDER / 'run.json')


attempt = note('began')
action = (PLAN['actions'] + ['ok'] * 9)[attempt]
die('before its claim')
FOLDER.mkdir(parents=True, exist_ok=True)
claim = open(FOLDER / 'claim.json', 'a')  # noqa: SIM115 -- until the end
try:
    fcntl.lockf(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print('train.py: error: the folder is in use', flush=True)
    sys.exit(75)
started = int(Path(f'/proc/{os.getpid()}/stat').read_text().rpartition(')')[2].split()[19])
holder = dict(
    host=socket.gethostname(), pid=os.getpid(), started=started, command='train', since='now'
)
# without these its process is not known to be one of this machine, and its death shows late
holder |= dict(
    boot=Path('/proc/sys/kernel/random/boot_id').read_text().strip(),
    namespace=os.readlink('/proc/self/ns/pid'),
)
claim.truncate(0)
claim.write(json.dumps(holder))
claim.flush()
if (FOLDER / PLAN['produces']).exists() and action == 'ok':
    note('found its result')
else:
    record('running')
    (FOLDER / 'iter_1.pth').touch()
    die('in the middle')
    if action == 'wait':

        def save(number: int, frame: object) -> None:
            """Save and stop."""
            (FOLDER / 'saved').write_text(str(number))
            record('stopped', error=f'stopped by {signal.Signals(number).name}')
            claim.close()
            sys.exit(128 + number)

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, save)
        (FOLDER / 'waits').write_text(str(os.getpid()))
        time.sleep(600)
        sys.exit('train.py: error: no signal came')
    if action == 'fail':
        print('train.py: error: the loss is not finite', flush=True)
        record('failed', error='RuntimeError: the loss is not finite')
        sys.exit(1)
    print('threads', os.environ.get('OMP_NUM_THREADS'), flush=True)
    time.sleep(PLAN.get('seconds', 0.05))
    (FOLDER / PLAN['produces']).touch()
    note('made')
    die('after its result')
record('done', **dict(seconds=3.0, progress=[10, 10]) | PLAN.get('fields', {}))
(FOLDER / 'claim.json').unlink()
