"""The place of a process, from the variables of launchers, and the GPU that it takes."""

import pytest
import torch

from mmtmix.engine.local_device import find_place, own_device

VARIABLES = {
    'pytorch': dict(RANK='5', LOCAL_RANK='1'),
    'slurm': dict(SLURM_PROCID='5', SLURM_LOCALID='1'),
    'mpi': dict(OMPI_COMM_WORLD_RANK='5', OMPI_COMM_WORLD_LOCAL_RANK='1'),
}


@pytest.fixture(autouse=True)
def _no_launch(monkeypatch):
    for names in (*VARIABLES.values(), ['TORCHELASTIC_RUN_ID']):
        for name in names:
            monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize('launcher', VARIABLES)
def test_a_launcher_tells_the_place_by_its_variables(monkeypatch, launcher):
    with pytest.raises(ValueError, match=f'--launcher {launcher}: .* must be a number >= 0'):
        find_place(launcher)
    assert find_place('none') == (0, 0)
    for name, value in VARIABLES[launcher].items():
        monkeypatch.setenv(name, value)
    assert find_place(launcher) == (1, 5)
    # RANK and LOCAL_RANK may be left over from another program
    assert find_place('none') == ((0, 0) if launcher == 'pytorch' else (1, 5))
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'none')
    if launcher == 'pytorch':
        assert find_place('none') == (1, 5)
    monkeypatch.setenv(next(iter(VARIABLES[launcher])), 'first')
    with pytest.raises(ValueError, match="must be a number >= 0, got 'first'"):
        find_place(launcher)


@pytest.mark.parametrize(
    ('device', 'rank', 'count', 'wanted', 'note'),
    [
        (None, 3, 8, 'cuda:3', ''),
        ('cuda', 3, 8, 'cuda:3', ''),
        (None, 0, 8, 'cuda:0', '8 GPUs are visible, and this process takes the first one'),
        (None, 3, 1, 'cuda:0', 'process 3 of this machine shares GPU 0, since 1 are visible'),
        (None, 0, 1, 'cuda:0', ''),
        (None, 3, 0, None, ''),
        ('cpu', 3, 8, 'cpu', ''),
        ('cuda:2', 3, 8, 'cuda:2', ''),
    ],
)
def test_each_process_takes_its_own_gpu(monkeypatch, device, rank, count, wanted, note):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: count)
    found, told = own_device(device, rank)
    assert found == wanted
    assert told.startswith(note) and bool(told) == bool(note)
