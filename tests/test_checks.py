from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from mmtmix.checks import (
    check_arguments,
    check_choice,
    check_file_name,
    check_flag,
    check_instance,
    check_integer,
    check_keys,
    check_number,
    check_numbers,
    check_path,
    check_text,
)


@pytest.mark.parametrize('value', [0.5, 1, 2, np.float32(0.5), np.int64(2)])
def test_numbers_in_the_range_pass(value):
    check_number('alpha', value, most=2, above=0)


@pytest.mark.parametrize('value', [0, -1, 2.1, math.nan, math.inf, -math.inf])
def test_numbers_out_of_the_range_are_refused(value):
    with pytest.raises(ValueError, match=r'alpha must be a finite number > 0 and <= 2, got '):
        check_number('alpha', value, most=2, above=0)


@pytest.mark.parametrize('value', [True, '0.5', None, [0.5], 1j])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match='alpha must be a finite number, got '):
        check_number('alpha', value)


def test_bounds_of_a_number():
    check_number('p', 0, least=0, below=1)
    with pytest.raises(ValueError, match='p must be a finite number >= 0 and < 1, got 1'):
        check_number('p', 1, least=0, below=1)


def test_integers():
    for value in (2, np.int64(3)):
        check_integer('k', value, 2, 3)
    for value in (2.0, True, '2', None, math.nan):
        with pytest.raises(TypeError, match='k must be an integer >= 2, got'):
            check_integer('k', value, 2)
    for value in (1, 4):
        with pytest.raises(ValueError, match='k must be an integer >= 2 and <= 3, got'):
            check_integer('k', value, 2, 3)


@pytest.mark.parametrize('value', ['no', 0, 1, None, np.bool_(True)])
def test_flags(value):
    check_flag('channels_last', True)
    with pytest.raises(TypeError, match='channels_last must be True or False, got'):
        check_flag('channels_last', value)


def test_a_close_choice_is_offered():
    check_choice('padding', 'zeros', ('zeros', 'border'))
    with pytest.raises(ValueError, match="one of 'zeros', 'border', got 'boarder'.*'border'?"):
        check_choice('padding', 'boarder', ('zeros', 'border'))
    with pytest.raises(ValueError, match='k must be one of 1, 2, got True'):
        check_choice('k', True, (1, 2))
    with pytest.raises(ValueError, match='got {}'):
        check_choice('k', {}, (1, 2))


def test_sequences_of_numbers():
    check_numbers('betas', (0.5, 1), 2, least=0)
    check_numbers('range', [1, 1, 2], ordered=True)
    for value in (0.5, '12', (0.5, True), ('a', 'b'), None):
        with pytest.raises(TypeError, match='betas must be 2 finite numbers, got'):
            check_numbers('betas', value, 2)
    for value in ((1.0,), (1.0, math.nan), (-1, 1), (2, 1)):
        with pytest.raises(ValueError, match='range must be 2 finite numbers >= 0, in rising'):
            check_numbers('range', value, 2, least=0, ordered=True)
    with pytest.raises(ValueError, match='std must be a list of finite numbers > 0, got'):
        check_numbers('std', [], above=0)


def test_text_and_paths():
    check_text('name', 'a')
    check_path('path', Path('a'))
    check_file_name('filename', 'last.pth')
    for check in (check_text, check_path, check_file_name):
        with pytest.raises(TypeError, match='it must be'):
            check('it', 5)
        with pytest.raises(ValueError, match="it must be .*, got ' '"):
            check('it', ' ')
    for value in ('a/b.pth', '..', '.', '/', 'a\\b', 'a/'):
        with pytest.raises(ValueError, match='filename must be the name of a file without'):
            check_file_name('filename', value)


def test_classes_and_keys():
    check_instance('model', 1, int, 'an int')
    with pytest.raises(TypeError, match="model must be an int, got 'a'; give one"):
        check_instance('model', 'a', int, 'an int', cure='give one')
    check_keys('teacher', dict(config=1), ['config'])
    with pytest.raises(TypeError, match="teacher has no 'confg'; did you mean 'config'?"):
        check_keys('teacher', dict(confg=1), ['config'])
    with pytest.raises(TypeError, match='teacher must be a dict, got 1'):
        check_keys('teacher', 1, ['config'])


def test_long_values_are_cut():
    with pytest.raises(TypeError) as caught:
        check_number('alpha', 'a' * 1000)
    assert len(str(caught.value)) < 300


def test_lists_of_integers():
    for values in ([2, 3], (np.int64(4),), [2] * 9):
        check_numbers('cells', values, least=2, whole=True)
    check_numbers('cells', (2, 3), 2, whole=True)
    for values in ((2, 1), (2,), (), (2, 3, 4)):
        with pytest.raises(ValueError, match=r'cells must be 2 integers >= 2, got \('):
            check_numbers('cells', values, 2, 2, whole=True)
    for values in ((2, 3.0), (2, True), (2, '3'), '23', 2, None):
        with pytest.raises(TypeError, match='cells must be a list of integers <= 4, got .*; one'):
            check_numbers('cells', values, most=4, cure='one per side', whole=True)


def test_a_single_value_is_said_as_such():
    with pytest.raises(ValueError, match='num_mix must be an integer equal to 2, got 3'):
        check_integer('num_mix', 3, 2, 2)


def test_arguments_that_nobody_takes_are_refused():
    def one(first, *, second=0):
        pass

    def other(third, **rest):
        pass

    check_arguments('settings', dict(first=1, second=2, third=3), one, other)
    with pytest.raises(TypeError, match="settings has no 'secnd'; did you mean 'second'"):
        check_arguments('settings', dict(secnd=2), one, other)
    with pytest.raises(TypeError, match="settings has no 'rest'"):
        check_arguments('settings', dict(rest=2), one, other)
    check_arguments('settings', dict(anything=2), other)  # which takes all
    with pytest.raises(TypeError, match='settings must be a dict, got 3'):
        check_arguments('settings', 3, one)
