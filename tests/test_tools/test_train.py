"""tools/train.py: the main job in small, broken off and taken up again."""

import re
import shutil
import signal
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner

from mmtmix.engine.run_record import read_record, state_of
from mmtmix.models import load_mixer
from mmtmix.utils import fast_precision, load_checkpoint
from mmtmix.visualization import read_scalars

ROOT = Path(__file__).resolve().parents[2]
JOB = 'configs/transformmix/tiny.py'
TEACHER = 'configs/simple/teacher.py'
WORK = Path('work_dirs')
PRODUCTS = (
    WORK / 'simple' / 'teacher' / 'last.pth',
    WORK / 'transformmix' / 'search_tiny' / 'mixer.pth',
    WORK / 'transformmix' / 'tiny' / 'last.pth',
)


def weights(path):
    return load_checkpoint(path)['state_dict']


def assert_same_files(left, right):
    for product in PRODUCTS:
        one, other = weights(left / product), weights(right / product)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one), product


def dumped_config(work_dir):
    (path,) = work_dir.glob('*.py')
    return Config.fromfile(path, import_custom_modules=False)


@pytest.fixture
def with_teacher(tmp_path, main_job, write_job):
    """A fresh copy of the job whose first two stages are done."""
    write_job(tmp_path)
    for product in PRODUCTS[:2]:
        (tmp_path / product).parent.mkdir(parents=True)
        shutil.copy(main_job[0] / product, tmp_path / product)
    return tmp_path


def test_main_job_leaves_every_file(main_job):
    folder, printed = main_job
    for product in PRODUCTS:
        assert (folder / product).is_file()
    for product in (PRODUCTS[0], PRODUCTS[2]):
        work_dir = (folder / product).parent
        assert {'epoch_2.pth', 'last_checkpoint'} < {file.name for file in work_dir.iterdir()}
        assert len(list(work_dir.glob('*/vis_data/scalars.json'))) == 1
    assert load_mixer(folder / PRODUCTS[1]).num_mix == 2
    started = re.findall(r'\[stage (\d)/3\] (\S+): started', printed)
    assert started == [
        ('1', 'simple/teacher'),
        ('2', 'transformmix/search_tiny'),
        ('3', 'transformmix/tiny'),
    ]


def test_last_checkpoint_has_the_weights_of_the_last_epoch_and_no_teacher(main_job):
    work_dir = main_job[0] / PRODUCTS[2].parent
    state, epoch = weights(work_dir / 'last.pth'), weights(work_dir / 'epoch_2.pth')
    assert all(torch.equal(state[name], epoch[name]) for name in epoch)
    assert {name.split('.')[0] for name in state} == {'backbone', 'head'}


def test_second_launch_names_and_skips_what_is_finished(with_teacher, run_tool):
    _, printed = run_tool(
        'train', with_teacher, JOB, '--no-stages', '--cfg-options', 'train_cfg.max_epochs=1'
    )
    lines = [line for line in printed.splitlines() if line.startswith('[stage')]
    assert len(lines) == 4
    for line, product in zip(lines, PRODUCTS[:2], strict=False):
        assert re.search(
            rf'found {product} \(0:\d\d:\d\d old, sha256 [0-9a-f]{{12}}\), made by .*, skip', line
        )
    work_dir = with_teacher / PRODUCTS[2].parent
    assert sorted(file.name for file in work_dir.glob('*.pth')) == ['epoch_1.pth', 'last.pth']


def test_no_stages_refuses_and_lists_the_commands(tmp_path, write_job, run_tool):
    write_job(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        run_tool('train', tmp_path, JOB, '--no-stages')
    lines = str(error.value).splitlines()
    for line, product in zip(lines[1:3], PRODUCTS, strict=False):
        path, command = line.strip().split(': ', 1)
        assert path == str(product)
        assert re.fullmatch(rf'mmtmix train configs/\S+\.py --work-dir {product.parent}', command)
    assert 'leave out --no-stages' in lines[-1]
    assert not (tmp_path / WORK).exists()


def test_a_missing_file_of_a_mixer_ends_a_run_before_it_starts(
    with_teacher, run_tool, monkeypatch
):
    monkeypatch.setattr(Runner, 'train', None)
    missing = 'model.train_cfg.augments.teacher.checkpoint=none.pth'
    with pytest.raises(FileNotFoundError, match=r"the teacher's .*none\.pth"):
        run_tool('train', with_teacher, JOB, '--cfg-options', missing)


@pytest.mark.host
def test_killed_job_taken_up_again_ends_with_the_same_weights(
    tmp_path, write_job, main_job, run_tool, spawn
):
    write_job(tmp_path)
    command = (sys.executable, ROOT / 'tools' / 'train.py', JOB)
    killed = spawn(tmp_path, *command, SABOTAGE='teacher 1 0 kill')
    assert killed.returncode == -signal.SIGKILL, killed.stdout[-3000:]
    assert (tmp_path / PRODUCTS[0]).with_name('epoch_1.pth').exists()
    assert not (tmp_path / PRODUCTS[0]).exists()
    teacher, search = ((tmp_path / product).parent for product in PRODUCTS[:2])
    killed = read_record(teacher)
    assert killed['state'] == 'running' and state_of(teacher, killed) == 'interrupted'

    with pytest.raises(RuntimeError, match='sabotage'):
        run_tool('train', tmp_path, JOB, sabotage='search_tiny 1 0 raise')
    taken_up, failed = read_record(teacher), read_record(search)
    assert (taken_up['state'], taken_up['attempts']) == ('done', 2)
    assert (taken_up['digest'], taken_up['started']) == (killed['digest'], killed['started'])
    assert failed['state'] == 'failed'
    assert failed['error'].startswith('RuntimeError: sabotage')
    assert (tmp_path / PRODUCTS[0]).exists() and not (tmp_path / PRODUCTS[1]).exists()

    with pytest.raises(RuntimeError, match='sabotage'):
        run_tool('train', tmp_path, JOB, sabotage='tiny 1 0 raise')
    assert (tmp_path / PRODUCTS[1]).exists() and not (tmp_path / PRODUCTS[2]).exists()

    resumed = spawn(tmp_path, *command, '--resume')
    assert resumed.returncode == 0, resumed.stdout[-3000:]
    assert 'resumed epoch: 1' in resumed.stdout
    assert_same_files(tmp_path, main_job[0])


def test_kill_while_a_checkpoint_is_written_leaves_one_to_resume_from(
    with_teacher, run_tool, monkeypatch, main_job
):
    save = torch.save

    def lights_out(content, file, **kwargs):
        if content.get('meta', {}).get('epoch') == 2:
            raise KeyboardInterrupt
        save(content, file, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch, 'save', lights_out)
        run_tool('train', with_teacher, JOB)
    run_tool('train', with_teacher, JOB, '--resume')
    assert_same_files(with_teacher, main_job[0])


@pytest.mark.parametrize(
    'form', ["['mmtmix']", "dict(imports=['mmtmix'], allow_failed_imports=False)", "'mmtmix'"]
)
def test_custom_imports_work_in_every_form(tmp_path, write_job, run_tool, form):
    write_job(tmp_path, hooks=())
    path = tmp_path / TEACHER
    text = path.read_text()
    assert "custom_imports = ['mmtmix', 'witnesses']" in text
    path.write_text(text.replace("['mmtmix', 'witnesses']", form))
    small = ('train_cfg.max_epochs=1', 'train_dataloader.dataset.indices=64')
    run_tool('train', tmp_path, TEACHER, '--no-validate', '--cfg-options', *small)
    assert (tmp_path / PRODUCTS[0]).exists()


def test_amp_trains_in_the_fast_precision_of_a_cpu(tmp_path, write_job, run_tool):
    write_job(tmp_path)
    options = ('--cfg-options', 'train_cfg.max_epochs=1', 'train_dataloader.dataset.indices=64')
    run_tool('train', tmp_path, TEACHER, '--amp', '--work-dir', 'amp', *options)
    cfg = dumped_config(tmp_path / 'amp')
    ours = 'mmpretrain.AutocastOptimWrapper'
    wanted = ours if not torch.cuda.is_available() else 'AmpOptimWrapper'
    assert cfg.optim_wrapper.type == wanted
    state = weights(tmp_path / 'amp' / 'last.pth')
    assert {value.dtype for value in state.values()} == {torch.float32, torch.int64}
    precision = load_checkpoint(tmp_path / 'amp' / 'last.pth')['meta']['precision']
    assert precision == fast_precision(get_device()).name


def test_options_go_to_the_config_that_was_asked_for(main_job, with_teacher, run_tool):
    arguments = ('--work-dir', 'here', '--no-validate', '--no-pin-memory', '--cfg-options')
    run_tool('train', with_teacher, JOB, *arguments, 'train_cfg.max_epochs=1', 'randomness.seed=7')
    cfg = dumped_config(with_teacher / 'here')
    assert (cfg.randomness.seed, cfg.val_dataloader) == (7, None)
    assert cfg.train_dataloader.pin_memory is False
    assert dumped_config(main_job[0] / PRODUCTS[2].parent).randomness.seed == 0


def test_auto_scale_lr_scales_or_says_what_is_missing(tmp_path, write_job, run_tool):
    write_job(tmp_path)
    options = (
        'train_cfg.max_epochs=1',
        'train_dataloader.dataset.indices=64',
        'auto_scale_lr.base_batch_size=128',
    )
    run_tool(
        'train', tmp_path, TEACHER, '--no-validate', '--auto-scale-lr', '--cfg-options', *options
    )
    (log,) = (tmp_path / PRODUCTS[0].parent).glob('*/*.log')
    assert 'Scaling the original LR by 0.125' in log.read_text()
    # it is no teacher that the other configs describe
    (tmp_path / PRODUCTS[0]).with_name('run.json').unlink()
    with pytest.raises(ValueError, match=r'base_batch_size=\.\.\.\) in configs/transformmix/sear'):
        run_tool('train', tmp_path, 'configs/transformmix/search_tiny.py', '--auto-scale-lr')


def test_stage_starts_from_the_weights_that_its_config_names(with_teacher, run_tool):
    teacher, start = with_teacher / PRODUCTS[0], with_teacher / 'start.pth'
    shutil.move(teacher, start)
    config = with_teacher / TEACHER
    text = config.read_text().replace('lr=0.05', 'lr=0.0').replace('max_epochs=2', 'max_epochs=1')
    config.write_text(f'{text}\nparam_scheduler = None\nload_from = {str(start)!r}\n')
    run_tool('train', with_teacher, JOB, '--cfg-options', 'train_cfg.max_epochs=1')
    before, after = weights(start), weights(teacher)
    assert torch.equal(before['head.fc.weight'], after['head.fc.weight'])


def test_tensorboard_is_a_matter_of_config(tmp_path, write_job, run_tool):
    pytest.importorskip('tensorboard')
    write_job(tmp_path)
    options = ('train_cfg.max_epochs=1', 'train_dataloader.dataset.indices=64')
    backend = 'visualizer.vis_backends.0.type=TensorboardVisBackend'
    run_tool('train', tmp_path, TEACHER, '--cfg-options', backend, *options)
    work_dir = tmp_path / PRODUCTS[0].parent
    assert list(work_dir.glob('*/vis_data/events.out.tfevents.*'))
    assert read_scalars(work_dir).val  # beside it, not in its place
