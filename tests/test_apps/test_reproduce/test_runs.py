"""Where runs go, what they are told apart by, and how far they are."""

import json
import re
from pathlib import Path

import pytest

from mmtmix.apps.reproduce import State, runs_of
from mmtmix.utils.claims import claim_folder

pytestmark = pytest.mark.host

GRID = 'configs/simple/grid_fashionmnist.py'


def test_cells_that_share_config_and_overrides_share_runs(cell):
    one, two = cell('a/1/r/x'), cell('b/2/s/y', printed=(1.0,))
    assert runs_of(one, 3) == runs_of(two, 3)
    other = cell('a/1/r/z', options={'model.backbone.depth': 10})
    assert runs_of(other, 1)[0].folder != runs_of(one, 1)[0].folder
    wider = cell('a/1/r/w', config=GRID, variants={'NET': 'wrn16_2'})
    folder = runs_of(wider, 1, 'root')[0].folder
    assert folder == Path('root/simple/grid_fashionmnist-NET=wrn16_2/seed0')


def test_the_digest_is_that_of_the_config_alone(cell):
    first, second = runs_of(cell(), 2)
    assert first.digest() == second.digest()
    assert first.digest() != runs_of(cell(options={'train_cfg.max_epochs': 3}), 1)[0].digest()
    nets = [dict(NET=net) for net in ('wrn16_1', 'wrn16_2')]
    digests = [runs_of(cell(config=GRID, variants=net), 1)[0].digest() for net in ({}, *nets)]
    assert digests[0] == digests[1] != digests[2]  # the first one is the default


def test_variants_that_do_not_fit_are_refused(cell):
    for variants, message in (
        (dict(NETS='wrn16_2'), f'{GRID} with NETS=wrn16_2 cannot be read .*did you mean NET'),
        (dict(NET='wrn28'), 'NET must be one of wrn16_1, wrn16_2, wrn16_4; got wrn28'),
    ):
        with pytest.raises(ValueError, match=message):
            runs_of(cell(config=GRID, variants=variants), 1)[0].digest()


def test_the_digest_sees_what_is_required(cell, tmp_path):
    teacher, student = tmp_path / 'teacher.py', tmp_path / 'student.py'
    student.write_text(f"""requires = [
    dict(config={str(teacher)!r}, produces='work_dirs/teacher/last.pth')
]
""")
    digests = set()
    for lr in (1, 2):
        teacher.write_text(f'model = dict(lr={lr})')
        digests.add(runs_of(cell(config=str(student)), 1)[0].digest())
    assert len(digests) == 2


def test_the_digest_sees_the_overrides_of_a_required_run(cell, tmp_path):
    search, user = tmp_path / 'search.py', tmp_path / 'user.py'
    user.write_text(
        "model = dict(mixer='work_dirs/a/mixer.pth')\n"
        f"requires = [dict(config='{search}', produces='work_dirs/a/mixer.pth')]\n"
    )
    digests = set()
    for factor in (1, 10):
        search.write_text(f'model = dict(alpha={factor}, beta=1)')
        for options in ({}, {'requires.0.options.model.alpha': 2}):
            digests.add(runs_of(cell(config=str(user), options=options), 1)[0].digest())
    assert len(digests) == 3  # alpha 1, 10 and 2


def test_a_run_is_as_far_as_its_folder_says(cell, finish, monkeypatch):
    run = finish(cell(), 0, [80.0])
    assert run.state is State.DONE
    (run.folder / 'last.pth').unlink()
    assert run.state is State.STARTED
    (run.folder / 'run.json').write_text('{"digest": "another"}')
    assert run.state is State.OUTDATED  # never resumed under another config
    (run.folder / 'last.pth').touch()
    assert run.state is State.OUTDATED
    (run.folder / 'run.json').unlink()
    assert run.state is State.NOT_RUN
    digest = run.digest()
    for fields, state in (
        (dict(), State.DONE),  # of an older version, whose records hold neither state nor seed
        (dict(state='done', seed=0, processes=1), State.DONE),
        (dict(state='failed'), State.FAILED),
        (dict(state='stopped'), State.STARTED),
        (dict(state='running'), State.STARTED),  # no process works there
        (dict(seed=1), State.OTHER_SEED),
        (dict(state='done', seed=1), State.OTHER_SEED),
        (dict(processes=2), State.OTHER_PROCESSES),
        (dict(state='done', processes=1, earlier=[dict(host='a')]), State.DONE),
        (dict(state='done', processes=1, earlier=[dict(processes=8)]), State.OTHER_PROCESSES),
    ):
        (run.folder / 'run.json').write_text(json.dumps(dict(digest=digest, **fields)))
        assert run.state is state, fields
    claim = claim_folder(run.folder)
    (run.folder / 'run.json').write_text(json.dumps(dict(digest=digest, state='running')))
    assert run.state is State.RUNNING
    claim.release()
    for damaged in ('{"digest": ', '[]', '"x"', '{}'):
        (run.folder / 'run.json').write_text(damaged)
        with pytest.raises(ValueError, match=r'run.json is damaged .*; move its folder aside'):
            _ = run.state


def test_commands_are_those_that_a_user_would_type(cell):
    (run,) = runs_of(cell(options={'b': [1, 2], 'a': 0.5}), (7,), 'out')
    command = ' '.join(run.command('tools'))
    assert command.startswith('python tools/train.py configs/simple/wrn16_fashionmnist_mini.py')
    assert command.endswith('seed7 --resume --cfg-options randomness.seed=7 a=0.5 b=[1, 2]')
    (spread,) = runs_of(cell(), (7,), 'out', gpus=8)
    assert spread.command('tools')[:3] == ['tools/dist_train.sh', run.config, '8']
    assert '--divide-batch' in spread.command('tools')
    (run,) = runs_of(cell(config=GRID, variants={'NET': 'wrn16_2', 'CLEAN': '20'}), (7,), 'out')
    assert run.command('tools')[2:6] == [GRID, '--variant', 'CLEAN=20', 'NET=wrn16_2']


@pytest.mark.parametrize('seeds', [0, (), (1, -1)])
def test_seeds_must_be_there(cell, seeds):
    with pytest.raises(ValueError, match='seeds must be .* integer'):
        runs_of(cell(), seeds)


def test_a_quoted_cell_has_no_runs(cell):
    with pytest.raises(ValueError, match='is only quoted: a time'):
        runs_of(cell(config='', quoted='a time'), 1)


def test_a_path_among_the_variants_makes_no_folders(cell):
    run, other = (
        runs_of(cell(variants=dict(MIXER=f'work_dirs/{name}/mixer.pth')), 1, 'root')[0]
        for name in ('search', 'other')
    )
    assert len(run.folder.relative_to('root').parts) == 3
    assert run.folder != other.folder


def test_a_row_may_fix_its_seeds(cell):
    fixed = cell(seeds=(10, 11))
    assert [run.seed for run in runs_of(fixed)] == [10, 11]
    assert [run.seed for run in runs_of(fixed, (11,))] == [11]
    assert [run.seed for run in runs_of(cell())] == [0, 1, 2]
    with pytest.raises(ValueError, match=r'is for the seeds \(10, 11\), got \(0, 1, 2\)'):
        runs_of(fixed, 3)


def test_all_variants_are_documented():
    root = Path(__file__).resolve().parents[3]
    texts = [path.read_text('utf-8') for path in root.glob('configs/**/*.py')]
    declared = {name for text in texts for name in re.findall(r"\bvariant\('(\w+)'", text)}
    pages = ''.join(
        (root / 'docs' / name).read_text('utf-8') for name in ('reproduce.md', 'evidence.md')
    )
    documented = set(re.findall(r'^\| `([A-Z_]+)` \|', pages, re.M))
    assert documented <= declared | {'PAIR'}
    # those of one folder of configs are in its README
    readmes = ''.join(path.read_text('utf-8') for path in root.glob('configs/*/README.md'))
    assert declared <= documented | set(re.findall(r'`([A-Z_]+)`', readmes))
