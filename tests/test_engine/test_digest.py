"""Digests of runs: whatever changes a result changes them, and spelling does not."""

import copy
import json
from inspect import signature
from pathlib import Path

import pytest
from mmengine.config import Config

from mmtmix.engine.digest import run_digest
from mmtmix.engine.digest_content import FIELDS, WATCHERS, with_first_defaults
from mmtmix.engine.stages import plan_stages
from mmtmix.functional import SUPERMIX_FAST, SUPERMIX_PAPER
from mmtmix.models.mixers import TransformMixer
from mmtmix.utils import load_config

pytestmark = pytest.mark.host

# a classifier, a search, a set of mixed images, mixed ones beside clean ones, a switched recipe
CONFIGS = [
    ('configs/transformmix/wrn16_fashionmnist_mini.py', {}),
    ('configs/transformmix/search_grid_fashionmnist.py', dict(SEARCH='paper')),
    ('configs/supermix/generate_wrn16_fashionmnist_mini.py', {}),
    ('configs/supermix/offline_grid_fashionmnist.py', dict(KAPPA=2)),
    ('configs/transformmix/grid_fashionmnist.py', dict(WARM_UP=20, CLEAN=20)),
    ('configs/puzzlemix/resnet50_imagenet.py', {}),
]


def plan(config, variants=None, **changes):
    cfg = load_config(config, changes, variants)
    return plan_stages(config, cfg, variants)


def leaves(value, place=()):
    """Places of all that is no dict or list, empty ones too."""
    items = value.items() if isinstance(value, dict) else None
    if isinstance(value, (list, tuple)):
        items = enumerate(value)
    if not items:
        yield place
        return
    for name, item in items:
        yield from leaves(item, (*place, name))


def put(value, place, new):
    """A copy with something else in a place."""
    if not place:
        return new
    copied = list(value) if isinstance(value, (list, tuple)) else dict(value)
    copied[place[0]] = put(value[place[0]], place[1:], new)
    return copied


def get(value, place):
    for name in place:
        value = value[name]
    return value


def other(value):
    """Something of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return f'{value}x' if isinstance(value, str) else ['another']


def digest_with(stages, content):
    """The digest of a plan whose last run has another content."""
    *needed, own = stages
    own = copy.copy(own)
    own.cfg = Config(content)
    return run_digest([*needed, own])


def is_counted(content, place):
    """Whether a Runner reads a leaf for more than its logs."""
    if place[0] not in FIELDS or place[:2] == ('randomness', 'seed'):
        return False
    if place[0] not in ('default_hooks', 'custom_hooks') or len(place) < 2:
        return True
    hook = content[place[0]][place[1]]
    return hook['type'] not in WATCHERS


@pytest.mark.parametrize(('config', 'variants'), CONFIGS)
def test_each_leaf_that_a_runner_reads_counts_and_no_other(config, variants):
    stages = plan(config, variants)
    content = {**stages[-1].cfg.to_dict(), 'helper': dict(a=[1, 2]), 'note': 'x'}
    before = digest_with(stages, content)
    assert before == run_digest(stages)
    counted, others = 0, 0
    for place in leaves({name: content[name] for name in content if name != 'requires'}):
        if get(content, place) is None and len(place) == 1:
            continue  # the same as a field that isn't there
        changed = put(content, place, other(get(content, place)))
        if is_counted(content, place):
            counted += 1
            assert digest_with(stages, changed) != before, place
        elif place[-1] != 'type':  # a watcher of another type may be none
            others += 1
            assert digest_with(stages, changed) == before, place
    assert counted > 50 and others > 10


def test_a_dropped_field_counts():
    stages = plan('configs/transformmix/wrn16_fashionmnist_mini.py')
    content = stages[-1].cfg.to_dict()
    before = run_digest(stages)
    for name in FIELDS & content.keys():
        if content[name] is None or name == 'randomness':  # that holds a seed alone
            continue
        left = {other: value for other, value in content.items() if other != name}
        assert digest_with(stages, left) != before, name
    assert digest_with(stages, {**content, 'requires': []}) != before


def test_spelling_and_order_do_not_count():
    stages = plan('configs/transformmix/wrn16_fashionmnist_mini.py')
    content = stages[-1].cfg.to_dict()
    before = run_digest(stages)

    def turned(value):
        if isinstance(value, dict):
            return {name: turned(value[name]) for name in reversed(value)}
        return tuple(map(turned, value)) if isinstance(value, (list, tuple)) else value

    renamed = {
        (name if name in FIELDS | {'requires'} else f'{name}_2'): v for name, v in content.items()
    }
    outputs = dict(
        work_dir='elsewhere',
        visualizer=dict(type='Visualizer'),
        log_level='DEBUG',
        launcher='pytorch',
        resume=True,
        experiment_name='x',
    )
    hooks = dict(content['default_hooks'], timer=None, logger=dict(type='LoggerHook', interval=1))
    for same in (
        turned(content),
        renamed,
        content | outputs,
        content | dict(default_hooks=hooks),
        content | dict(requires=list(reversed(content['requires']))),
        content | dict(randomness=dict(seed=77)),
    ):
        assert digest_with(stages, same) == before
    for differs in (dict(seed=0, deterministic=True), dict(seed=0, diff_rank_seed=True)):
        assert digest_with(stages, content | dict(randomness=differs)) != before


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a teacher and a student that requires it; return the student's digest."""
    monkeypatch.chdir(tmp_path)

    def make(teacher='lr = 1', folder='work_dirs/teacher', student='', name='teacher', lr=1):
        for config, text in (
            (name, f'model = dict(lr={lr})\n{teacher}\n'),
            (
                'student',
                f'checkpoint = {folder!r} + "/last.pth"\n'
                f'requires = [dict(config="{name}.py", produces=checkpoint)]\n'
                f'model = dict(teacher=dict(config="{name}.py", checkpoint=checkpoint))\n'
                f'{student}\n',
            ),
        ):
            (tmp_path / f'{config}.py').write_text(text)
        return run_digest(plan('student.py'))

    return make


def test_files_of_required_runs_count_by_who_makes_them(write):
    before = write()
    assert write(teacher='other_helper = 2', folder='elsewhere/deep') == before
    assert write(name='renamed') == before
    assert write(lr=2) != before
    # a required run's seed makes its weights; that of the run itself is kept apart
    assert write(teacher='randomness = dict(seed=1)') != before
    assert write(student='randomness = dict(seed=1)') == write(student='randomness = dict(seed=2)')
    assert write(student='model["teacher"]["checkpoint"] = "own/last.pth"') != before
    # another file of the same run
    assert write(student='model["teacher"]["checkpoint"] = checkpoint + "2"') != before


def test_a_config_that_is_named_counts_by_its_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def digest(lr, variants, named='teacher.py'):
        (tmp_path / 'teacher.py').write_text(
            '_base_ = []\nfrom mmtmix.recipes import variant\n'
            f"model = dict(lr={lr} * variant('FACTOR', 1, 2))\n"
        )
        teacher = dict(config=named, checkpoint='http://x/y.pth', **variants)
        (tmp_path / 'own.py').write_text(f'model = dict(teacher={teacher!r})\n')
        return run_digest(plan('own.py'))

    before = digest(1, {})
    assert digest(1, dict(variants=dict(FACTOR=1))) == before
    assert digest(1, dict(variants=dict(FACTOR=2))) == digest(2, {}) != before
    assert digest(1, {}, 'none.py') != before
    # a config may name itself
    (tmp_path / 'own.py').write_text('model = dict(teacher=dict(config="own.py"))\n')
    assert run_digest(plan('own.py')) == run_digest(plan('own.py'))


def test_what_json_cannot_hold_is_told_by_its_name(tmp_path):
    def digest(content):
        return digest_with(plan('configs/simple/wrn16_fashionmnist_mini.py'), content)

    class Plain:
        pass

    assert digest(dict(model=dict(type=Config))) == digest(dict(model=dict(type=Config)))
    assert digest(dict(model=dict(type=Config))) != digest(dict(model=dict(type=Plain)))
    assert digest(dict(model=dict(a=Plain()))) == digest(dict(model=dict(a=Plain())))
    assert digest(dict(model=dict(a=(1, 2)))) == digest(dict(model=dict(a=[1, 2])))
    assert len(digest(dict(model=json))) == 16


def test_a_runner_of_another_class_may_read_any_field():
    stages = plan('configs/simple/wrn16_fashionmnist_mini.py')
    content = stages[-1].cfg.to_dict() | dict(runner_type='Mine', own=1)
    assert digest_with(stages, content) != digest_with(stages, content | dict(own=2))
    assert digest_with(stages, content) == digest_with(stages, content | dict(work_dir='x'))


def test_an_argument_that_came_later_counts_unless_it_has_the_old_meaning():
    stages = plan('configs/transformmix/search_grid_fashionmnist.py', dict(SEARCH='paper'))
    content = stages[-1].cfg.to_dict()
    # as recorded before there was a mask_size
    recorded = json.loads(
        next(
            line
            for line in Path('results/fashionmnist/runs.jsonl').read_text().splitlines()
            if 'search_grid' in line and '"paper"' in line
        )
    )
    assert content['model']['mixer']['mask_size'] is None
    assert digest_with(stages, content) == recorded['digest']
    others = {recorded['digest']}
    for mixer in (dict(mask_size=16), dict(mask_size=28)):
        changed = put(content, ('model', 'mixer'), content['model']['mixer'] | mixer)
        others.add(digest_with(stages, changed))
    assert len(others) == 3
    # what leaves it out means today's default
    without = {k: v for k, v in content['model']['mixer'].items() if k != 'mask_size'}
    default = signature(TransformMixer).parameters['mask_size'].default
    explicit = put(content, ('model', 'mixer'), without | dict(mask_size=default))
    bare = put(content, ('model', 'mixer'), without)
    assert digest_with(stages, bare) == digest_with(stages, explicit)


def test_changed_defaults_count_by_what_they_mean():
    plain = dict(type='SuperMix', num_mix=2)
    # as it was recorded when the paper's values were the defaults
    assert with_first_defaults(plain | SUPERMIX_PAPER) == plain
    # what leaves them out now means others
    assert with_first_defaults(plain) == with_first_defaults(plain | SUPERMIX_FAST)
    assert with_first_defaults(plain) == plain | SUPERMIX_FAST
    half = with_first_defaults(dict(plain, type='mmpretrain.SuperMix', max_iters=50))
    assert 'max_iters' not in half and half['start'] == 'saliency'
    nested = dict(augments=[dict(type='Mixup', max_iters=50), plain | SUPERMIX_PAPER])
    assert with_first_defaults(nested) == dict(augments=[nested['augments'][0], plain])


def test_what_changes_time_or_memory_alone_does_not_count():
    stages = plan('configs/simple/wrn16_fashionmnist32_resident.py')
    content = stages[-1].cfg.to_dict()
    place = ('train_dataloader', 'dataset')
    images = get(content, place)
    assert images['type'] == 'ResidentDataset'
    plain = digest_with(stages, content)
    for changes in (dict(read_workers=7), dict(max_bytes=10**9)):
        assert digest_with(stages, put(content, place, images | changes)) == plain
    # on another device rounding differs, and other types may have arguments of these names
    for changes in (dict(device='cuda'), dict(type='Mine', read_workers=7)):
        assert digest_with(stages, put(content, place, images | changes)) != plain
    mine, other = (put(content, place, dict(type='Mine', max_bytes=n)) for n in (1, 2))
    assert digest_with(stages, mine) != digest_with(stages, other)
    assert 'custom_hooks' not in content
    hooks = [dict(type='KeepFreedMemoryHook')]
    assert digest_with(stages, content | dict(custom_hooks=hooks)) == plain


def test_the_recorded_grid_of_supermix_keeps_its_digest():
    stages = plan('configs/supermix/grid_fashionmnist.py')
    assert run_digest(stages) == 'c7d68e8332b0457d'
    augments = dict(stages[-1].cfg.model.train_cfg.augments)
    for name, value in SUPERMIX_PAPER.items():
        assert augments.pop(name) == value  # named, since the defaults are others
