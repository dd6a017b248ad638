"""What hooks attach to a run is undone in each of the ways that a run can end."""

import gc
from types import SimpleNamespace

import pytest

from mmtmix.engine.cleanup import Cleanup, closing_hooks


class Run:
    """Stands for a Runner with hooks, one of which attaches something."""

    def __init__(self):
        self.undone = []
        self.cleanup = Cleanup()
        self.hooks = [SimpleNamespace(cleanup=self.cleanup), SimpleNamespace()]


def attach(run):
    run.cleanup.begin(run)
    run.cleanup.callback(run.undone.append, 'undone')
    return run.undone


def test_a_second_run_undoes_what_the_first_left():
    run = Run()
    undone = attach(run)
    assert not undone
    attach(run)
    assert undone == ['undone']
    run.cleanup.close()
    run.cleanup.close()
    assert undone == ['undone'] * 2


def test_the_end_of_the_runner_undoes_it():
    undone = attach(Run())
    gc.collect()
    assert undone == ['undone']


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_the_end_of_the_block_undoes_it_after_an_exception(error):
    run = Run()
    with pytest.raises(error), closing_hooks(run):
        undone = attach(run)
        raise error
    assert undone == ['undone']
