"""Two processes on gloo learn what one does from the same batches."""

import os

import pytest
import torch

from tests.test_engine.ranks import run_ranks

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(torch.cuda.is_available(), reason='runs on gloo without GPUs'),
]

KD = dict(type='KDLoss')
OFFLINE = dict(dataloader=dict(dataset=dict(type='Noise', size=5, seed=2)))


@pytest.fixture
def train(distill_runner, distill_hook, student_config, tmp_path):
    """Train on one process or two, four images a step, and read what each ended with."""

    def run(hook, rank, world_size, options):
        options = dict(options, work_dir=str(tmp_path / f'{world_size}'))
        if world_size > 1:
            os.environ['LOCAL_RANK'] = str(rank)  # in a process of its own
            store = torch.distributed.FileStore(str(tmp_path / 'store'), world_size)
            torch.distributed.init_process_group(
                'gloo', store=store, rank=rank, world_size=world_size
            )
            wrapper = dict(type='MMDistributedDataParallel', device_ids=None)
            stats = student_config()['data_preprocessor']
            loader = dict(dataset=dict(type='Noise'))
            cfg = dict(data_preprocessor=stats, model_wrapper_cfg=wrapper, train_dataloader=loader)
            options |= dict(launcher='pytorch', cfg=cfg)
        runner = distill_runner(
            hook,
            epochs=2,
            validate=True,
            train=dict(batch_size=4 // world_size),
            **options,
        )
        runner.train()
        model = getattr(runner.model, 'module', runner.model)
        scalars = runner.message_hub.log_scalars
        content = dict(
            student=model.state_dict(),
            losses=distill_hook(runner).losses.state_dict(),
            teacher=scalars['val/distill/teacher'].data[0].tolist(),
            agreement=scalars['val/distill/agreement'].data[0].tolist(),
            mixed=torch.cat(runner.seen.student[1:6:2]),  # of the first epoch, if any are
            asked=sum(len(batch) for batch in runner.seen.teacher),
        )
        torch.save(content, tmp_path / f'{world_size}_{rank}.pt')

    def start(hook, world_size, **options):
        run_ranks(lambda rank: run(hook, rank, world_size, options), world_size)
        return [
            torch.load(tmp_path / f'{world_size}_{rank}.pt', weights_only=False)
            for rank in range(world_size)
        ]

    return start


@pytest.fixture
def methods(crd):
    """Arguments of the hook by the name of what they do."""
    return dict(
        crd_kd=dict(losses=[KD, crd]),
        kd_mixed=dict(preset='kd_mixed', mixed=OFFLINE, kd_on='both'),
        target=dict(losses=[crd], mixed=OFFLINE, mixed_cls='mixed'),
    )


@pytest.mark.parametrize('method', ['crd_kd', 'kd_mixed', 'target'])
def test_two_processes_equal_one_on_the_same_batches(train, methods, method, tmp_path):
    ((alone,), (first, second)) = (train(methods[method], size) for size in (1, 2))
    for part in ('student', 'losses'):
        assert alone[part].keys() == first[part].keys()
        for name, value in alone[part].items():
            torch.testing.assert_close(first[part][name], value, msg=name)
            assert torch.equal(first[part][name], second[part][name]), name
    assert bool(alone['losses']) == (method != 'kd_mixed')
    files = [torch.load(tmp_path / size / 'epoch_2.pth', weights_only=False) for size in '12']
    assert files[0].keys() == files[1].keys()
    for name in ('teacher', 'agreement'):
        assert first[name] == pytest.approx(alone[name])
    # each image by one rank
    assert first['asked'] + second['asked'] == alone['asked']


def test_ranks_share_what_they_must_where_each_has_a_seed_of_its_own(train, methods):
    """MMEngine adds the rank to the seed."""
    randomness = dict(seed=0, diff_rank_seed=True)
    first, second = train(methods['target'], 2, randomness=randomness)
    for part in ('student', 'losses'):
        for name, value in first[part].items():
            assert torch.equal(value, second[part][name]), name
    # together the ranks go through the mixed images, all five before one comes again
    together = torch.stack([first['mixed'], second['mixed']], dim=1).flatten(0, 1).flatten(1)
    assert len(together) == 12
    for start in (0, 5):
        assert len(together[start : start + 5].unique(dim=0)) == 5
