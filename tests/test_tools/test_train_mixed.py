"""tools/train.py with SuperMix: the shipped configs with small numbers, offline and online."""

import json
import re
import shutil
import socket
from pathlib import Path

import pytest
import torch

from mmtmix.apps.generate.comparison import set_differences
from mmtmix.datasets.mixed_shards import verify_set
from mmtmix.utils import load_checkpoint, load_config

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
NAME = 'wrn16_fashionmnist_mini'
CONFIGS = {
    'teacher': f'configs/simple/{NAME}.py',
    'generate': f'configs/supermix/generate_{NAME}.py',
    'offline': f'configs/supermix/offline_{NAME}.py',
    'online': f'configs/supermix/{NAME}.py',
}
STAGES = ('teacher', 'generate', 'offline')


def work_dir(stage):
    return CONFIGS[stage].replace('configs', 'work_dirs', 1).removesuffix('.py')


def steps(folder, stage):
    """What was logged of each step of a run."""
    (path,) = (folder / work_dir(stage)).glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if 'loss' in line]


@pytest.fixture(scope='module')
def trained(tmp_path_factory, write_supermix, run_tool):
    """One launch of the offline config: its folder and what it printed."""
    folder = tmp_path_factory.mktemp('supermix')
    write_supermix(folder, with_teacher=False)
    _, printed = run_tool('train', folder, CONFIGS['offline'])
    return folder, printed


def test_one_launch_makes_teacher_set_and_classifier(trained):
    folder, printed = trained
    started = re.findall(r'\[stage (\d)/3\] (\S+): started', printed)
    names = [work_dir(stage).removeprefix('work_dirs/') for stage in STAGES]
    assert started == list(zip('123', names, strict=True))
    for stage in ('teacher', 'offline'):
        assert (folder / work_dir(stage) / 'last.pth').is_file()
    mixed = folder / work_dir('generate')
    assert verify_set(mixed) == []
    described = json.loads((mixed / 'dataset.json').read_text())
    assert described['num'] == 24
    checkpoint = f'{work_dir("teacher")}/last.pth'
    assert described['settings']['mixer']['teacher']['checkpoint'] == checkpoint
    assert checkpoint in described['settings']['files']


def test_an_epoch_goes_through_clean_and_mixed_images(trained):
    # 64 clean and 24 mixed ones, 16 a step, in 4 * 64 / 88 epochs
    logged = steps(trained[0], 'offline')
    assert max(line['epoch'] for line in logged) == 3
    assert len(logged) == 3 * 6
    assert max(line['epoch'] for line in steps(trained[0], 'teacher')) == 4
    # the cycle ends with the training
    assert logged[-1]['lr'] < logged[0]['lr'] < max(line['lr'] for line in logged)
    assert load_checkpoint(trained[0] / work_dir('offline') / 'last.pth')['meta']['epoch'] == 3


def test_a_second_launch_skips_what_is_there(trained, run_tool):
    folder, _ = trained
    made = sorted((folder / work_dir('generate')).iterdir())
    before = [path.stat().st_mtime_ns for path in made]
    options = ('--work-dir', 'again', '--no-stages', '--cfg-options', 'train_cfg.max_epochs=1')
    _, printed = run_tool('train', folder, CONFIGS['offline'], *options)
    products = (f'{work_dir("teacher")}/last.pth', f'{work_dir("generate")}/dataset.json')
    for number, product in enumerate(products, 1):
        assert re.search(rf'\[stage {number}/3\] \S+: found {product} \(.*\), skipped', printed)
    assert (folder / 'again' / 'last.pth').is_file()
    assert sorted((folder / work_dir('generate')).iterdir()) == made
    assert before == [path.stat().st_mtime_ns for path in made]


def test_the_generator_finds_the_set_that_training_made_complete(trained, run_tool):
    folder, _ = trained
    status, printed = run_tool('generate_mixed', folder, CONFIGS['generate'], '--verify')
    assert status == 0
    assert f'{work_dir("generate")}/dataset.json: every record is good' in printed


def test_the_generating_config_can_be_asked_for_alone(trained, run_tool):
    folder, _ = trained
    run_tool('train', folder, CONFIGS['generate'], '--work-dir', 'elsewhere')
    first, second = (
        {path.name: path.read_bytes() for path in (folder / name).iterdir()}
        for name in (work_dir('generate'), 'elsewhere')
    )
    one, other = (json.loads(files.pop('run.json')) for files in (first, second))
    assert first == second
    assert (one['digest'], one['state'], one['progress']) == (other['digest'], 'done', [12, 12])
    assert one['seed'] == other['seed'] == 0


def test_a_set_without_a_record_is_compared_by_its_description(
    trained, run_tool, tmp_path, monkeypatch
):
    """Its teacher need not be there any longer."""
    made = work_dir('generate')
    shutil.copytree(trained[0] / 'configs', tmp_path / 'configs')
    shutil.copytree(trained[0] / made, tmp_path / made)
    (tmp_path / made / 'run.json').unlink()
    monkeypatch.chdir(tmp_path)
    assert set_differences(load_config(CONFIGS['generate']), made) == []
    path = Path(CONFIGS['generate'])
    path.write_text(path.read_text().replace('num=24', 'num=26'))
    with pytest.raises(ValueError, match='generated otherwise than') as error:
        run_tool('train', tmp_path, CONFIGS['offline'])
    assert '  num: 24 there, 26 now\n' in str(error.value)


def test_without_stages_the_set_is_asked_for_with_its_command(tmp_path, write_supermix, run_tool):
    write_supermix(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        run_tool('train', tmp_path, CONFIGS['offline'], '--no-stages')
    command = f'mmtmix train {CONFIGS["generate"]} --work-dir {work_dir("generate")}'
    assert f'  {work_dir("generate")}/dataset.json: {command}\n' in str(error.value)


def test_validation_left_out_leaves_the_pipeline_of_the_set(trained, run_tool):
    folder, _ = trained
    config = folder / CONFIGS['generate'].replace('generate_', 'untested_')
    config.write_text((folder / CONFIGS['generate']).read_text() + 'test_dataloader = None\n')
    run_tool('train', folder, config, '--no-validate', '--work-dir', 'no_validate')
    for name in ('dataset.json', 'shard-00003.safetensors'):
        made, expected = folder / 'no_validate' / name, folder / work_dir('generate') / name
        assert made.read_bytes() == expected.read_bytes()


@pytest.mark.skipif(torch.cuda.is_available(), reason='runs on gloo without GPUs')
def test_two_processes_generate_and_train_in_one_launch(tmp_path, write_supermix, spawn):
    write_supermix(tmp_path)
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        port = str(server.getsockname()[1])
    done = spawn(tmp_path, ROOT / 'tools' / 'dist_train.sh', CONFIGS['offline'], '2', PORT=port)
    assert done.returncode == 0, done.stdout[-3000:]
    assert len(re.findall(r'^\[stage \d/3\]', done.stdout, re.MULTILINE)) == 5
    mixed = tmp_path / work_dir('generate')
    assert verify_set(mixed) == []
    assert not list(mixed.glob('.*'))
    assert len(steps(tmp_path, 'offline')) == 3 * 3
    assert (tmp_path / work_dir('offline') / 'last.pth').is_file()


def test_online_supermix_trains(trained, run_tool):
    folder, _ = trained
    _, printed = run_tool(
        'train', folder, CONFIGS['online'], '--cfg-options', 'train_cfg.max_epochs=1'
    )
    assert re.search(rf'\[stage 1/2\] \S+: found {work_dir("teacher")}/last.pth', printed)
    losses = [line['loss'] for line in steps(folder, 'online')]
    assert len(losses) == 4
    assert all(0 < loss < 20 for loss in losses)
    state = load_checkpoint(folder / work_dir('online') / 'last.pth')['state_dict']
    assert {name.split('.')[0] for name in state} == {'backbone', 'head'}
