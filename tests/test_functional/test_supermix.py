"""SuperMix's solver: what finished means, who runs for how long, and what it bears."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from mmtmix.functional import blend

FOREVER = dict(max_unfinished_ratio=0.0, min_change=0.0)


def check_masks(masks):
    assert masks.dtype == torch.float32
    assert masks.isfinite().all()
    assert masks.ge(0).all()
    torch.testing.assert_close(masks.sum(dim=1), torch.ones_like(masks[:, 0]))


class Spy(nn.Module):
    """A teacher that remembers how many images it saw, and of which type."""

    def __init__(self, teacher):
        super().__init__()
        self.teacher, self.sizes, self.dtypes = teacher, [], set()

    def forward(self, inputs):
        self.sizes.append(len(inputs))
        self.dtypes.add(inputs.dtype)
        return self.teacher(inputs.float())


@pytest.mark.parametrize('method', ['newton', 'newton_tv', 'sgd'])
@pytest.mark.parametrize(
    ('num_mix', 'shape'),
    [(2, (3, 12, 12)), (2, (1, 8, 20)), (3, (3, 9, 15)), (4, (1, 12, 12))],
)
def test_finished_samples_show_their_classes_and_logits_are_of_the_mix(
    make_problem, num_mix, shape, method
):
    problem = make_problem(12, num_mix, shape)
    solution = problem.solve(method=method, lr=1.0, max_iters=8)
    assert solution.masks.shape == (12, num_mix, 1, *shape[1:])
    check_masks(solution.masks)
    with torch.no_grad():
        logits = problem.teacher(blend(problem.images, solution.masks))
    torch.testing.assert_close(solution.logits, logits, atol=1e-3, rtol=1e-4)
    assert solution.finished.any()
    for row, classes, finished in zip(
        solution.logits, problem.classes, solution.finished, strict=True
    ):
        same = set(row.topk(num_mix).indices.tolist()) == set(classes.tolist())
        assert same == finished


@pytest.mark.parametrize('num_mix', [2, 3])
def test_a_set_of_one_class_finishes_when_that_is_the_top_one(make_problem, num_mix):
    problem = make_problem(8, num_mix)
    problem.classes = problem.classes[:, :1].expand(-1, num_mix).contiguous()
    solution = problem.solve(max_unfinished_ratio=0.0)
    assert solution.finished.all()
    assert solution.iterations.max() > 0
    assert torch.equal(solution.logits.argmax(dim=1), problem.classes[:, 0])


@pytest.mark.parametrize('settings', [{}, FOREVER, dict(min_iters=3, max_iters=6)])
def test_the_teacher_sees_the_running_samples_once_a_step(make_problem, settings):
    problem = make_problem(12, 3)
    problem.teacher = Spy(problem.teacher)
    iterations = problem.solve(**settings).iterations
    running = [(iterations >= step).sum().item() for step in range(iterations.max() + 1)]
    assert problem.teacher.sizes == running
    assert sum(running) == iterations.sum() + 12
    assert running[-1] < running[0]


@pytest.mark.parametrize('chunk_size', [1, 5, 12, 40])
def test_chunks_bound_what_the_teacher_sees_at_once_and_change_nothing(make_problem, chunk_size):
    problem = make_problem(12, 3)
    expected = problem.solve()
    problem.teacher = Spy(problem.teacher)
    solution = problem.solve(chunk_size=chunk_size)
    assert max(problem.teacher.sizes) == min(chunk_size, 12)
    assert sum(problem.teacher.sizes) == solution.iterations.sum() + 12
    assert torch.equal(solution.iterations, expected.iterations)
    assert torch.equal(solution.finished, expected.finished)
    torch.testing.assert_close(solution.masks, expected.masks, atol=1e-3, rtol=0)


@pytest.mark.parametrize('num_mix', [2, 3])
def test_a_sample_does_not_depend_on_the_others(make_problem, num_mix):
    problem = make_problem(12, num_mix)
    together = problem.solve(**FOREVER)
    for sample in range(12):
        alone = problem.take([sample]).solve(**FOREVER)
        assert alone.iterations == together.iterations[sample]
        assert alone.finished == together.finished[sample]
        torch.testing.assert_close(alone.masks[0], together.masks[sample], atol=1e-3, rtol=0)


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_samples_that_finish_have_the_masks_of_an_endless_run(make_problem, num_mix):
    problem = make_problem(12, num_mix)
    endless, usual = problem.solve(**FOREVER), problem.solve()
    assert not usual.finished.all()
    assert endless.finished[usual.finished].all()
    done = usual.finished
    torch.testing.assert_close(usual.masks[done], endless.masks[done], atol=1e-3, rtol=0)
    assert torch.equal(usual.iterations[done], endless.iterations[done])


SOUND = {
    'saturated': lambda logits: logits * 1e6,
    'constant': lambda logits: logits * 0,
}
BROKEN = {
    'overflowing': lambda logits: logits * 1e38,
    'infinite': lambda logits: logits * float('inf'),
    'partly infinite': lambda logits: torch.cat([logits[:, 1:], logits[:, :1] / 0], dim=1),
    'nan': lambda logits: logits * float('nan'),
}


@pytest.mark.parametrize('method', ['newton', 'newton_tv', 'sgd'])
@pytest.mark.parametrize('kind', SOUND)
def test_masks_are_sound_whatever_finite_logits_say(make_problem, kind, method):
    problem = make_problem(6)
    teacher = problem.teacher
    problem.teacher = lambda inputs: SOUND[kind](teacher(inputs))
    check_masks(problem.solve(method=method, max_iters=5, **FOREVER).masks)


@pytest.mark.parametrize('method', ['newton', 'newton_tv', 'sgd'])
@pytest.mark.parametrize('kind', BROKEN)
def test_logits_that_are_not_finite_are_refused(make_problem, kind, method):
    problem = make_problem(6)
    teacher = problem.teacher
    problem.teacher = lambda inputs: BROKEN[kind](teacher(inputs))
    with pytest.raises(ValueError, match='the logits of <function .* hold NaN or infinity; its'):
        problem.solve(method=method, max_iters=5, **FOREVER)


@pytest.mark.parametrize('method', ['newton', 'newton_tv', 'sgd'])
def test_a_gradient_that_is_not_finite_is_refused(make_problem, method):
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, logits):
            return logits.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient / 0

    problem = make_problem(6)
    teacher = problem.teacher
    problem.teacher = lambda inputs: Broken.apply(teacher(inputs))
    with pytest.raises(ValueError, match='or their gradients, hold NaN or infinity'):
        problem.solve(method=method, max_iters=2, **FOREVER)


@pytest.mark.parametrize('method', ['newton', 'newton_tv', 'sgd'])
@pytest.mark.parametrize('spread', [0.0, 1e-20, 1e4])
def test_masks_are_sound_whatever_the_images_show(make_problem, spread, method):
    for problem in (make_problem(6), make_problem(6).still()):
        problem.images = spread * problem.images
        check_masks(problem.solve(method=method, max_iters=5, **FOREVER).masks)


def test_a_broken_image_is_refused(make_problem):
    problem = make_problem(6)
    problem.images[2] = float('nan')
    with pytest.raises(ValueError, match='hold NaN or infinity'):
        problem.solve(max_unfinished_ratio=0.0)


@pytest.mark.parametrize(
    'mode',
    [nullcontext, torch.no_grad, torch.inference_mode, torch.enable_grad],
)
def test_the_callers_grad_mode_is_no_matter(make_problem, mode):
    problem = make_problem(6)
    expected = problem.solve()
    with mode():
        solution = problem.take(range(6)).solve()  # of inference tensors in inference mode
    assert torch.equal(solution.masks, expected.masks)
    assert not any(
        value.requires_grad or value.is_inference() for value in vars(solution).values()
    )


def test_autocast_reaches_the_teacher_and_nothing_else(make_problem):
    problem = make_problem(6)
    expected, teacher = problem.solve(), problem.teacher

    def in_full_precision(inputs):
        assert inputs.dtype == torch.float32
        with torch.autocast('cpu', enabled=False):
            return teacher(inputs)

    with torch.autocast('cpu', torch.bfloat16):
        rounded = problem.solve()
        problem.teacher = in_full_precision
        exact = problem.solve()
    assert torch.equal(exact.masks, expected.masks)
    assert not torch.equal(rounded.masks, expected.masks)
    assert rounded.logits.dtype == torch.float32
    check_masks(rounded.masks)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_images_of_other_types_are_mixed_in_theirs(make_problem, dtype):
    problem = make_problem(6)
    expected = problem.solve(max_iters=1)
    problem.images, problem.teacher = problem.images.to(dtype), Spy(problem.teacher)
    solution = problem.solve(max_iters=1)
    assert problem.teacher.dtypes == {dtype}
    check_masks(solution.masks)
    assert solution.logits.dtype == torch.float32
    assert (solution.masks - expected.masks).abs().median() < 0.05


def test_teacher_and_arguments_stay_as_they_are(make_problem):
    problem = make_problem(6)
    arguments = problem.images, problem.classes, problem.weights, *problem.teacher.parameters()
    before = [argument.detach().clone() for argument in arguments]
    problem.images.requires_grad_()
    problem.solve()
    assert all(torch.equal(a, b) for a, b in zip(arguments, before, strict=True))
    assert problem.images.grad is None
    assert all(parameter.grad is None for parameter in problem.teacher.parameters())
