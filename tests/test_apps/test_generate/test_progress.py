"""What a user reads while a set is made."""

import logging
import re

import pytest
from mmengine.logging import MMLogger

from mmtmix.apps.generate import progress
from mmtmix.apps.generate.progress import Progress
from mmtmix.apps.generate.shard_maker import Statistics

pytestmark = pytest.mark.host


@pytest.fixture
def lines(monkeypatch):
    """The lines logged, in a process whose allocator no other test has set."""
    monkeypatch.setattr(progress, 'allocator_note', str)
    found = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    logger = MMLogger.get_instance('progress', log_level='INFO')
    logger.addHandler(handler)
    return found


@pytest.fixture
def clock(monkeypatch):
    """Seconds; ``clock[0] += 5`` lets them pass."""
    now = [100.0]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
    return now


def test_each_shard_says_how_much_how_fast_and_how_long(make_folder, make_records, lines, clock):
    folder = make_folder()
    folder.write(0, make_records(4), Statistics(8, 4, 40))
    told = Progress(folder)
    assert lines == [f'4 of 10 mixed images are in {folder.path}']
    told.finish()  # it isn't
    assert len(lines) == 1
    folder.write(2, make_records(2), Statistics(2, 2, 20))
    clock[0] += 4
    told.update()
    # what was there before is no merit of this run
    assert lines[1] == '6 of 10 mixed images, 0.5 images/s, eta 0:00:08'
    folder.write(1, make_records(4), Statistics(6, 4, 36))
    clock[0] += 4
    told.update()
    assert lines[2] == '10 of 10 mixed images, 0.8 images/s, eta 0:00:00'
    folder.finish(None, 3, 2, 'rgb')
    told.finish()
    assert re.fullmatch(
        rf'{folder.path} is complete: 10 images of 16 mixes, 62\.5 % of them finished, '
        r'6\.0 iterations per mix',
        lines[3],
    )


def test_plain_averages_among_the_finished_mixes_are_told(make_folder, make_records, lines):
    folder = make_folder()
    for number, size in enumerate((4, 4, 2)):
        folder.write(number, make_records(size), Statistics(20, 8, 40, 3))
    folder.finish(None, 3, 2, 'rgb')
    Progress(folder).finish()
    assert lines[-1].startswith('37.5 % of the finished mixes are plain averages')
    assert 'min_iters=1' in lines[-1]


def test_no_time_at_all_is_no_error(make_folder, make_records, lines, clock):
    folder = make_folder()
    told = Progress(folder)
    folder.write(0, make_records(4), Statistics(8, 4, 40))
    told.update()
    assert lines[1].startswith('4 of 10 mixed images') and lines[1].endswith('eta 0:00:00')
