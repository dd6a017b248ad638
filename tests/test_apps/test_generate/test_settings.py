"""The size of a set, and what makes two sets the same one."""

import json

import pytest

from mmtmix.apps.generate import GenerationSettings, describe
from mmtmix.apps.generate.folder import SetFolder
from mmtmix.apps.generate.settings import differences, digest
from mmtmix.functional import SUPERMIX_FAST, SUPERMIX_PAPER


@pytest.mark.parametrize(
    ('fields', 'message'),
    [
        (dict(num=0), 'num must be an integer >= 1, got 0'),
        (dict(num=5.0), 'num must be an integer >= 1, got 5.0'),
        (dict(num=1, seed=-1), 'seed must be an integer >= 0, got -1'),
        (dict(num=1, shard_size=0), 'shard_size must be an integer >= 1, got 0'),
        (dict(num=1, batch_size='8'), "batch_size must be an integer >= 1, got '8'"),
        (dict(num=1, keep='best'), "keep must be one of 'finished', 'all', got 'best'"),
        (dict(num=1, flip_prob=1.5), 'flip_prob must be a finite number >= 0 and <= 1, got 1.5'),
        (
            dict(num=1, flip_prob=float('nan')),
            'flip_prob must be a finite number >= 0 and <= 1, got nan',
        ),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(fields, message):
    with pytest.raises((TypeError, ValueError), match=message):
        GenerationSettings(**fields)


@pytest.mark.parametrize(
    ('num', 'shard_size', 'shards'),
    [(1, 2000, [1]), (4, 4, [4]), (10, 4, [4, 4, 2]), (12, 4, [4, 4, 4]), (3, 1, [1, 1, 1])],
)
def test_shards_are_full_but_the_last(num, shard_size, shards):
    assert GenerationSettings(num, shard_size=shard_size).shards == shards


@pytest.fixture
def described(tmp_path):
    """Describe a set whose teacher is a file: ``described(seed=1, alpha=2.0)``."""
    weights = tmp_path / 'teacher.pth'
    weights.write_bytes(b'weights')

    def make(alpha=1.0, num_sources=64, steps=(), **settings):
        teacher = dict(config=dict(pipeline=list(steps)), checkpoint=str(weights))
        sources = dict(mixer=dict(type='SuperMix', alpha=alpha, teacher=teacher))
        return describe(GenerationSettings(**dict(num=5) | settings), sources, num_sources)

    return make


def test_a_description_is_plain_and_holds_every_file_it_names(described, tmp_path):
    content = described()
    assert json.loads(json.dumps(content)) == content
    assert list(content['files']) == [str(tmp_path / 'teacher.pth')]
    assert content['mixer']['alpha'] == 1.0
    assert {'num', 'seed', 'shard_size', 'batch_size', 'keep', 'flip_prob'} < content.keys()


CHANGES = {
    'num': dict(num=6),
    'seed': dict(seed=1),
    'shard_size': dict(shard_size=3),
    'batch_size': dict(batch_size=4),
    'keep': dict(keep='all'),
    'flip_prob': dict(flip_prob=0.0),
    'num_sources': dict(num_sources=65),
    'mixer.alpha': dict(alpha=2.0),
    'mixer.teacher.config.pipeline': dict(steps=['Resize']),
}


@pytest.mark.parametrize('name', CHANGES)
def test_whatever_changes_a_set_changes_its_digest_and_is_named(described, name):
    old, new = described(), described(**CHANGES[name])
    assert digest(old) != digest(new)
    (difference,) = differences(old, new)
    assert difference.startswith(f'{name}: ')


def test_a_set_of_the_first_releases_defaults_is_not_continued_with_others(tmp_path):
    settings, plain = GenerationSettings(num=5), dict(type='SuperMix', num_mix=2)
    # as the first release described a set whose config names none of the solver's arguments
    old = dict(describe(settings, {}, 64), mixer=plain)
    SetFolder(tmp_path / 'set', settings, old)
    now = describe(settings, dict(mixer=plain), 64)
    with pytest.raises(ValueError, match='generated otherwise') as error:
        SetFolder(tmp_path / 'set', settings, now)
    for name, value in SUPERMIX_FAST.items():
        assert f"mixer.{name}: 'nothing' there, {value!r} now" in str(error.value)
    named = describe(settings, dict(mixer=plain | SUPERMIX_PAPER), 64)
    assert SetFolder(tmp_path / 'set', settings, named).missing() == [0]


def test_both_values_are_said(described):
    (difference,) = differences(described(), described(alpha=2.5))
    assert difference == 'mixer.alpha: 1.0 there, 2.5 now'


def test_another_content_of_a_file_is_another_set(described, tmp_path):
    old = described()
    (tmp_path / 'teacher.pth').write_bytes(b'WEIGHTS')
    assert digest(old) != digest(described())
    (difference,) = differences(old, described())
    assert difference.startswith(f'files.{tmp_path}/teacher.pth: ')


def test_a_config_counts_with_the_variants_that_it_is_named_with(tmp_path):
    path = tmp_path / 'teacher.py'

    def of(variants, first):
        path.write_text(
            '_base_ = []\nfrom mmtmix.recipes import variant\n'
            f"model = dict(depth=dict(a={first}, b=2)[variant('NET', 'a', 'b')])\n"
        )
        teacher = dict(config=str(path), variants=variants)
        return describe(GenerationSettings(num=1), dict(teacher=[teacher]), 1)['files']

    assert set(of(dict(NET='b'), 1)) == {str(path), f"{path} {{'NET': 'b'}}"}
    named = f"{path} {{'NET': 'b'}}"
    assert of(dict(NET='b'), 1)[named] == of(dict(NET='b'), 3)[named]
    assert of(dict(NET='b'), 1)[named] != of(dict(NET='b'), 1)[str(path)]


def test_the_spelling_of_a_config_does_not_count(tmp_path):
    path = tmp_path / 'teacher.py'

    def of(text):
        path.write_text(text)
        teacher = dict(config=str(path), checkpoint='none.pth')
        return describe(GenerationSettings(num=1), dict(teacher=teacher), 1)['files'][str(path)]

    plain = of('model = dict(depth=10)\n')
    assert of("# a teacher\ndepth = 10\nmodel = dict(depth=depth)\nwork_dir = 'x'\n") == plain
    assert of('model = dict(depth=16)\n') != plain


def test_equal_settings_are_the_same_set(described):
    assert digest(described()) == digest(json.loads(json.dumps(described())))
    assert not list(differences(described(), described()))
    assert digest(dict(a=1, b=dict(c=2, d=3))) == digest(dict(b=dict(d=3, c=2), a=1))


@pytest.mark.parametrize(
    ('old', 'new', 'name'),
    [
        (dict(mixer=dict(alpha=1)), dict(mixer=dict(alpha=1.0)), 'mixer.alpha'),
        (dict(mixer=dict()), dict(mixer=dict(cam_layer=None)), 'mixer.cam_layer'),
        (dict(mixer=dict(k=2)), dict(mixer=[2]), 'mixer'),
    ],
)
def test_no_other_digest_is_without_a_difference(old, new, name):
    assert digest(old) != digest(new)
    for one, other in ((old, new), (new, old)):
        (difference,) = differences(one, other)
        assert difference.startswith(f'{name}: ')
