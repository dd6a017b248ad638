"""Options of the command line: what MMEngine reads, and back to words; names that are misspelt."""

import pytest
from mmengine.config import Config

from mmtmix.utils.config_options import (
    flat_options,
    misspelt_options,
    option_words,
    parse_options,
)


@pytest.mark.parametrize(
    'options',
    [{}, {'a.b': 2}, {'a': [0.5, 1.0], 'b.c': 'text'}, {'probs': [0.5], 'seed': None}],
)
def test_options_come_back_from_their_words(options):
    words = option_words(options)
    assert words[:1] == (['--cfg-options'] if options else [])
    assert parse_options(words[1:]) == options


def test_nested_options_are_named_with_dots():
    nested = {'generation': {'num': 100, 'where': {'folder': 'a'}}, 'b': 1, 'empty': {}}
    flat = {'b': 1, 'empty': {}, 'generation.num': 100, 'generation.where.folder': 'a'}
    assert flat_options(nested) == flat
    assert flat_options(flat) == flat
    with pytest.raises(TypeError, match='options must be a dict of fields, got 3'):
        flat_options(3)


def test_a_new_name_like_one_that_is_there_is_doubted():
    cfg = Config(dict(optim_wrapper=dict(optimizer=dict(lr=0.1)), hooks=[dict(interval=1)]))
    (warning,) = misspelt_options(cfg, {'optim_wraper.optimizer.lr': 0.2})
    assert "did you mean 'optim_wrapper'?" in warning
    (warning,) = misspelt_options(cfg, {'hooks.0.intervall': 2})
    assert "did you mean 'interval'?" in warning
    right = {'optim_wrapper.optimizer.lr': 0.2, 'randomness.seed': 1, 'hooks.0.interval': 3}
    assert not [*misspelt_options(cfg, right)]
