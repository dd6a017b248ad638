"""The log of a job, and the process that works on the job by it."""

import json
import os

import pytest

from mmtmix.apps.reproduce.graph import Job
from mmtmix.apps.reproduce.job_log import (
    final_line,
    first_line,
    log_of,
    read_attempt,
    worker_of,
)

pytestmark = pytest.mark.host


@pytest.fixture
def job(tmp_path):
    """A stage that nothing has claimed, in a root of its own."""
    made = Job(str(tmp_path / 'teacher' / 'last.pth'), None)
    log_of(made, tmp_path).parent.mkdir(parents=True)
    return made


def test_the_starter_is_the_worker_until_the_attempt_ends(job, tmp_path):
    log = log_of(job, tmp_path)
    assert worker_of(job, tmp_path) is None
    words = ['python', 'tools/train.py', 'a b.py', 'two\nlines']
    log.write_text(first_line(words) + 'importing\n')
    found = worker_of(job, tmp_path)
    assert (found.pid, found.command) == (
        os.getpid(),
        "python tools/train.py 'a b.py' 'two\nlines'",
    )
    assert found.is_here and found.is_alive
    with open(log, 'a') as file:
        file.write(final_line(1, 2.0))
    assert worker_of(job, tmp_path) is None
    attempt = read_attempt(log)
    assert (attempt.code, attempt.seconds, attempt.last_line) == (1, 2.0, 'importing')


def test_a_starter_of_the_past_or_of_elsewhere_is_no_worker(job, tmp_path):
    log = log_of(job, tmp_path)
    mark, _, fields = first_line(['a']).partition(': ')
    content = json.loads(fields)
    log.write_text(f'{mark}: {json.dumps(content | dict(started=content["started"] - 1))}\n')
    starter = read_attempt(log).starter
    assert starter.is_here and not starter.is_alive
    assert worker_of(job, tmp_path) is None
    for changed in ({'host': 'other'}, {'boot': 'other'}, {'namespace': 'pid:[1]'}):
        log.write_text(f'{mark}: {json.dumps(content | changed)}\n')
        assert not read_attempt(log).starter.is_here
        assert worker_of(job, tmp_path) is None
    log.write_text(first_line(['a'])[:60])  # a kill cut it off
    assert read_attempt(log).starter is None
    assert worker_of(job, tmp_path) is None
