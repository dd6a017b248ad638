"""Signals: at once, or at the end of a step where one is awaited."""

import os
import signal
import threading
import time

import pytest

from mmtmix.utils import Stopped, run_command, stop_request, stoppable, stopping


def send(signum):
    os.kill(os.getpid(), signum)


@pytest.fixture(autouse=True)
def _ctrl_c():
    """Ctrl-C as in a terminal: a shell starts commands in the background without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize('signum', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_command_with_a_line_and_its_status(capsys, signum):
    def main(argv):
        with stoppable(lambda: 'nothing is saved'):
            send(signum)
            raise AssertionError('not reached')

    before = signal.getsignal(signal.SIGTERM)
    assert run_command(main, 'tools/train.py', []) == 128 + signum
    name = signal.Signals(signum).name
    assert capsys.readouterr().err == f'train.py: stopped by {name}; nothing is saved\n'
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_error_that_code_makes_of_the_signal_is_a_stop(capsys):
    def main(argv):
        with stoppable(lambda: 'nothing is saved'):
            try:
                send(signal.SIGTERM)
            except BaseException:
                raise SyntaxError('Failed to format the config file')  # noqa: B904, as MMEngine

    assert run_command(main, 'tools/train.py', []) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == 'train.py: stopped by SIGTERM; nothing is saved\n'


def test_a_chain_of_errors_that_leads_back_has_an_end():
    first, second = ValueError('first'), ValueError('second')
    first.__context__, second.__context__ = second, first
    assert stopping.stop_behind(first) is None


def test_ctrl_c_outside_of_it_has_a_line_and_its_status_too(capsys):
    def main(argv):
        raise KeyboardInterrupt

    assert run_command(main, 'tool.py', []) == 130
    assert capsys.readouterr().err == 'tool.py: stopped by SIGINT\n'


def test_where_a_step_awaits_it_the_first_sigterm_waits_and_a_later_one_does_not(monkeypatch):
    with pytest.raises(Stopped) as stopped, stoppable(lambda: 'saved'):
        stop_request.is_awaited = True
        send(signal.SIGTERM)
        assert stop_request.signum == signal.SIGTERM
        send(signal.SIGTERM)  # at once: a cluster and a launcher may both send it
        monkeypatch.setattr(stopping, 'ECHO', 0.0)
        send(signal.SIGTERM)
        raise AssertionError('not reached')
    assert stopped.value.report == 'saved'
    assert stop_request.signum is None and not stop_request.is_awaited


def test_torchrun_repeats_the_signal_that_a_cluster_has_sent_already(monkeypatch):
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'x')
    with stoppable(lambda: 'saved'):
        stop_request.is_awaited = True
        for _ in range(2):
            send(signal.SIGTERM)
        assert stop_request.signum == signal.SIGTERM
    with pytest.raises(Stopped), stoppable(lambda: 'saved'):
        send(signal.SIGTERM)  # no step awaits it


def test_what_stopped_it_comes_before_what_is_saved():
    with pytest.raises(Stopped, match='after iteration 3; saved'), stoppable(lambda: 'saved'):
        raise Stopped(signal.SIGTERM, 'after iteration 3')


def test_a_forked_worker_ends_as_without_the_handler():
    with stoppable(str):
        stop_request.is_awaited = True
        reads, writes = os.pipe()
        worker = os.fork()
        if worker == 0:
            os.write(writes, b'-')
            for _ in range(1000):
                time.sleep(0.01)
            os._exit(0)
        os.read(reads, 1)  # a signal that comes while Python forks is lost
        os.kill(worker, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == -signal.SIGTERM
        assert stop_request.signum is None


def test_other_threads_leave_the_handlers_alone():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with stoppable(str):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
