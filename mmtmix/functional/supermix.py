"""SuperMix's masks: a batched Newton solver and its two rivals (Dabouei et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .mask_losses import normalize_masks
from .mixing import blend
from .predictions import top_classes_match
from .smooth import gaussian_kernel
from .supermix_model import MaskModel
from .supermix_objective import SuperMixSettings, newton_step, objective

# glibc returns the activations of larger chunks to the system and gets them back zeroed, at every
# operation: a pass of 128 images of 32x32 had 38,519 page faults at once and 6,772 in chunks of
# 32. Where the allocator keeps them, chunks of 16 to 128 take the same time within 10 %.
_CPU_CHUNK = 32
# Steps by the linear model. Each costs a forward of the teacher, where one by gradients costs 2.3.
_MODEL_STEPS = 2


@dataclass
class SuperMixSolution:
    """Masks, and how they were found.

    Attributes:
        masks: Masks, float32 (N, k, 1, H, W), summing to 1 over k.
        logits: Logits of the teacher for each mix, float32 (N, num_classes).
        iterations: Number of steps of each sample, int64 (N,).
        finished: Whether the top classes of the mix are those of its images, bool (N,).
    """

    masks: Tensor
    logits: Tensor
    iterations: Tensor
    finished: Tensor


def solve_masks(
    images: Tensor,
    classes: Tensor,
    weights: Tensor,
    teacher: Callable[[Tensor], Tensor],
    settings: SuperMixSettings | None = None,
    evidence: Tensor | None = None,
) -> SuperMixSolution:
    """Optimise masks until the teacher's top classes of each mix are those of its images.

    It is Algorithm 1 for a whole batch. A step is one pass of the teacher over the samples that
    still run. The same logits show which of them are finished, and are the forward of the next
    gradient. Only the masks get gradients, whatever grad mode and autocast the caller is in. A
    sample's masks after a number of steps don't depend on the other samples. The end of the batch,
    by ``max_unfinished_ratio``, does.

    Args:
        images: Images of each mix, (N, k, C, H, W).
        classes: Class that the mix should show of each image, int64 (N, k).
        weights: Share of each class in the target, (N, k), rows on the simplex.
        teacher: Function from images (n, C, H, W) to logits (n, num_classes); a frozen network in
            eval mode.
        settings: Settings of the solver; the defaults if None.
        evidence: Evidence of each image for each class at each position, (N, k, num_classes, w,
            w) with w = ``mask_size``, as a teacher's method ``evidence`` returns it. The first
            masks and the first two steps are then those of :class:`~mmtmix.functional.MaskModel`.
            None is the paper's solver, which starts from the plain average.

    Returns:
        Masks, and how they were found. A sample that didn't finish keeps its last masks.

    Raises:
        ValueError: If the shapes don't fit together, there is no sample, or the teacher's logits
            or the masks are not finite.
    """
    settings = settings or SuperMixSettings()
    _check(images, classes, weights)
    _check_evidence(evidence, weights, settings.mask_size)
    kernel = gaussian_kernel(settings.sigma, settings.legacy_kernel).to(images.device)
    with torch.inference_mode(False):  # whose tensors would be of no use for a gradient
        images, classes, weights = map(_trackable, (images, classes, weights))
        raw = torch.zeros(*weights.shape, *2 * (settings.mask_size,), device=images.device)
        running = _Running(torch.arange(len(raw), device=raw.device), images, classes, weights)
        model = None
        if evidence is not None:
            model = MaskModel(_trackable(evidence), classes, weights, settings)
            raw = model.improve(running.samples, raw)
        iterations = torch.zeros_like(running.samples)
        finished = torch.zeros_like(running.samples, dtype=torch.bool)
        logits, before, given_up = torch.empty(0), None, 0
        for step in range(settings.max_iters + 1):
            model = model if step < _MODEL_STEPS else None
            steps = step < settings.max_iters and model is None  # the last pass needs no gradient
            found = _attempt(running, raw, step, teacher, kernel, settings, steps)
            if step == 0:
                logits = torch.empty_like(found.logits)
            logits[running.samples] = found.logits
            finished[running.samples] = found.done
            iterations[running.samples] = step
            left = (~found.done).nonzero().squeeze(1)  # waits for the device
            may_finish = step >= settings.min_iters
            unfinished = given_up + len(left)
            if may_finish and unfinished <= settings.max_unfinished_ratio * len(raw):
                break
            if may_finish and before is not None:
                moved = (found.masks - before).abs().mean(dim=(1, 2, 3))
                moving = left[moved[left] >= settings.min_change]
                given_up, left = given_up + len(left) - len(moving), moving
            if step == settings.max_iters or not len(left):
                break
            running = running.take(left)
            samples = running.samples
            if model is not None:
                model.correct(samples, raw[samples], found.logits[left])
                raw[samples] = model.improve(samples, raw[samples])
                continue
            raw[samples] -= found.update[left]
            if settings.gives_up:
                before = found.masks[left]
        with _full_precision(images):
            masks = normalize_masks(raw, _size(images)).unsqueeze(2)
    _check_finite(logits, masks, teacher)
    return SuperMixSolution(masks, logits, iterations, finished)


@dataclass
class _Running:
    """The samples that still run: their numbers in the batch, and what they are made of."""

    samples: Tensor
    images: Tensor
    classes: Tensor
    weights: Tensor

    def take(self, left: Tensor) -> _Running:
        if len(left) == len(self.samples):
            return self
        return _Running(*(part[left] for part in self._parts()))

    def split(self, size: int) -> list[_Running]:
        columns = zip(*(part.split(size) for part in self._parts()), strict=True)
        return [_Running(*chunk) for chunk in columns]

    def _parts(self) -> tuple[Tensor, ...]:
        return self.samples, self.images, self.classes, self.weights


@dataclass
class _Attempt:
    """The teacher's logits for the present masks, and the step to subtract from the raw ones."""

    masks: Tensor
    logits: Tensor
    done: Tensor
    update: Tensor


def _attempt(
    running: _Running,
    raw: Tensor,
    step: int,
    teacher: Callable[[Tensor], Tensor],
    kernel: Tensor,
    settings: SuperMixSettings,
    steps: bool,
) -> _Attempt:
    """Evaluate the running samples, one chunk after the other."""
    size = settings.chunk_size or (_CPU_CHUNK if raw.device.type == 'cpu' else len(raw))
    chunks = running.split(size)
    found = [
        _attempt_chunk(chunk, raw, step, teacher, kernel, settings, steps) for chunk in chunks
    ]
    return _Attempt(*(torch.cat(parts) for parts in zip(*map(_fields, found), strict=True)))


def _attempt_chunk(
    chunk: _Running,
    raw: Tensor,
    step: int,
    teacher: Callable[[Tensor], Tensor],
    kernel: Tensor,
    settings: SuperMixSettings,
    steps: bool,
) -> _Attempt:
    """Run the teacher forward and, for samples that go on, backward."""
    variables = raw[chunk.samples].requires_grad_(steps)
    with torch.set_grad_enabled(steps):
        with _full_precision(raw):
            masks = normalize_masks(variables, _size(chunk.images))
            mixed = blend(chunk.images, masks.unsqueeze(2)).to(chunk.images.dtype)
        logits = teacher(mixed)
        with _full_precision(raw):
            losses = objective(logits, masks, chunk.classes, chunk.weights, settings)
    found = logits.detach().float()
    done = top_classes_match(found, chunk.classes)
    if step < settings.min_iters:
        done = torch.zeros_like(done)
    update = torch.zeros_like(raw[:0])
    if steps:
        with _full_precision(raw):  # under autocast the backward pass would round as well
            # the gradient of each sample is its own, so those that are done get none
            wanted = torch.where(done, 0, losses).sum()
            (gradients,) = torch.autograd.grad(wanted, variables)
            update = newton_step(losses.detach(), gradients, kernel, settings)
    return _Attempt(masks.detach(), found, done, update)


def _fields(attempt: _Attempt) -> tuple[Tensor, ...]:
    return attempt.masks, attempt.logits, attempt.done, attempt.update


def _check(images: Tensor, classes: Tensor, weights: Tensor) -> None:
    fits = images.dim() == 5 and classes.shape == weights.shape == images.shape[:2]
    if not fits or not len(images):
        raise ValueError(
            'images must be (N, k, C, H, W), classes and weights (N, k), N > 0; got '
            f'{tuple(images.shape)}, {tuple(classes.shape)} and {tuple(weights.shape)}'
        )


def _check_evidence(evidence: Tensor | None, weights: Tensor, size: int) -> None:
    if evidence is None:
        return
    shape = tuple(evidence.shape)
    if len(shape) != 5 or shape[:2] != tuple(weights.shape) or shape[3:] != (size, size):
        raise ValueError(
            'evidence must be (N, k, num_classes, mask_size, mask_size), here '
            f'{tuple(weights.shape)} and mask_size {size}; got {shape}'
        )


def _check_finite(logits: Tensor, masks: Tensor, teacher: Callable[[Tensor], Tensor]) -> None:
    # once per batch: what is not finite in a step stays so in the next ones
    if not (logits.sum() + masks.sum()).isfinite():
        raise ValueError(
            f'the logits of {teacher} for the mixes, or their gradients, hold NaN or infinity; '
            'its training has diverged, or its precision is too small for it: give another '
            "checkpoint, or set dtype='float32' in the teacher"
        )


def _size(images: Tensor) -> tuple[int, int]:
    return images.size(-2), images.size(-1)


def _full_precision(like: Tensor) -> torch.autocast:
    return torch.autocast(like.device.type, enabled=False)


def _trackable(tensor: Tensor) -> Tensor:
    return tensor.clone() if tensor.is_inference() else tensor
