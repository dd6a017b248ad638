"""Pictures and diagnostics of distillations."""

import pytest
import torch

from mmtmix.engine.hooks import mix_visualization_hook as module

pytestmark = pytest.mark.host

PICTURES = dict(type='MixVisualizationHook', most_share=1.0)
LOG = dict(type='MixLogHook')
OFFLINE = dict(dataloader=dict(dataset=dict(type='Noise', seed=3)))


@pytest.fixture
def drawn(monkeypatch):
    """The blocks of each picture."""
    found = []
    draw = module.draw_blocks

    def watched(blocks, heading):
        found.append(blocks)
        return draw(blocks, heading)

    monkeypatch.setattr(module, 'draw_blocks', watched)
    return found


@pytest.mark.parametrize(
    ('mixed', 'title', 'columns'),
    [
        (dict(augment=dict(type='CutMix', alpha=1.0)), 'CutMix', ['Input', 'Mask', 'Mix']),
        (dict(augment=dict(type='SampleMixup')), 'SampleMixup', ['Input', 'Mask', 'Mix']),
        (OFFLINE, 'OfflineMixes', ['Mix']),
    ],
)
def test_mixed_images_are_drawn_with_their_labels(
    distill_runner, same, drawn, mixed, title, columns
):
    states = []
    for hooks in ((PICTURES, LOG), ()):
        runner = distill_runner(dict(preset='kd_mixed', mixed=mixed), hooks=hooks, epochs=2)
        runner.train()
        states.append(runner.model.state_dict())
    assert same(*states)
    assert len(drawn) == 2
    for blocks in drawn:
        (block,) = blocks
        assert block.title == title and [*block.columns] == columns
        # the teacher's class alone
        assert all(lines[-1].startswith('label by the teacher 1.00  ') for lines in block.labels)


def test_batches_of_images_that_were_mixed_before_are_drawn(distill_runner, drawn, monkeypatch):
    from .conftest import Noise

    monkeypatch.setattr(module, 'MixedImages', Noise)
    runner = distill_runner(None, hooks=(PICTURES,))
    batches = []
    runner.model.data_preprocessor.register_forward_pre_hook(
        lambda net, args: batches.append(args[0]['inputs'].clone())
    )
    runner.train()
    (block,) = drawn[0]
    pictures = torch.from_numpy(block.columns['Mix'])[:, 0]
    torch.testing.assert_close(pictures, batches[0].permute(0, 2, 3, 1) / 255)
    assert all(lines[0].startswith('label 1.00  ') for lines in block.labels)


def test_the_teacher_is_measured_where_it_ran_anyway(distill_runner, scalars, distill_hook):
    augment = dict(augment=dict(type='SampleMixup'))
    runner = distill_runner(dict(preset='kd_mixed', mixed=augment), hooks=(LOG,))
    seen = []

    def watch(model, args, kwargs, output):
        if kwargs.get('data_samples') is not None:
            labels = torch.cat([sample.gt_label for sample in kwargs['data_samples']])
            seen.append((kwargs['inputs'].clone(), labels))

    runner.model.register_forward_hook(watch, with_kwargs=True)
    runner.train()
    logged = scalars(runner)
    teacher = distill_hook(runner).objective.teacher
    expected = [
        100 * (teacher(inputs).argmax(dim=1) == labels).float().mean().item()
        for inputs, labels in seen
    ]
    assert logged['teacher_clean_acc'] == pytest.approx(expected)
    assert len(logged['teacher_mixed_acc']) == 3
    assert len(runner.seen.teacher) == 6  # clean and mixed images of three steps
