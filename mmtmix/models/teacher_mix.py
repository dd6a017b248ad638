"""How a teacher and a mixing module make a mix, in the search and in use."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.functional import (
    image_share,
    kept_saliency,
    mask_entropy,
    resize_map,
    visible_shares,
    warp,
    warp_statistics,
)

from .draw import Details, Draw
from .measures import is_measured_in_full, measure
from .mixers import TransformMixer
from .teachers import FrozenTeacher


def mix_with_teacher(
    teacher: FrozenTeacher,
    mixer: TransformMixer,
    images: Tensor,
    scores: Tensor,
    draw: Draw,
    by_label: bool = True,
    noise: Tensor | None = None,
) -> tuple[Tensor, Details]:
    """Mix images by what a module predicts from a teacher's CAMs (TransformMix, section 3.1).

    Gradients reach the module where they are enabled, but never the teacher.

    Args:
        teacher: The teacher, whose report counts the labels that it predicts.
        mixer: The mixing module, on the device of the images.
        images: Images of the batch, (N, C, H, W).
        scores: Labels of the batch, (N, num_classes).
        draw: Draw of M mixes; its generator draws the module's noise.
        by_label: Whether the CAMs are those of the labels; False takes the predicted classes.
        noise: Noise of the module, from its ``draw_noise``; None draws it.

    Returns:
        Mixes (M, C, H, W), and what made them: ``theta`` (M, k, 2, 3), ``masks``
        (M, k, 1, H, W), ``saliency`` (M, k, 1, cam_size, cam_size) and the teacher's
        ``clean_logits`` for the batch (N, num_classes).
    """
    classes = scores.argmax(dim=1) if by_label else None
    logits, saliency = teacher.saliency(images, classes, mixer.cam_size)
    teacher.report(logits, scores)
    # index_select copies whole maps, several times faster than saliency[index] does
    saliency = saliency.index_select(0, draw.index.flatten()).unflatten(0, draw.index.shape)
    if noise is None:
        noise = mixer.draw_noise(len(draw.index), draw.generator)
    noise = noise.to(images.device, non_blocking=True)
    mixed, details = mixer.mix(images, draw.index, saliency, draw.weights, noise)
    if is_measured_in_full():
        measure_warp(details['theta'], details['masks'], saliency, mixer)
    return mixed, dict(details, saliency=saliency, clean_logits=logits)


@torch.no_grad()
def measure_warp(theta: Tensor, masks: Tensor, saliency: Tensor, mixer: TransformMixer) -> None:
    """Measure how a module warps and masks, for the log.

    Args:
        theta: Parameters of the warps, (M, k, 2, 3).
        masks: Masks, (M, k, 1, H, W).
        saliency: Saliency of the images, (M, k, 1, h, w).
        mixer: The mixing module.
    """
    measures = warp_statistics(theta)
    if mixer.stn is not None:
        measures['theta_image_share'] = image_share(_theta_by_images(saliency, mixer))
    measures['temperature'] = mixer.temperature
    measures['mask_entropy'] = mask_entropy(masks)
    shown = resize_map(masks.squeeze(2), saliency.size(-1)).unsqueeze(2)
    measures['kept_saliency'] = kept_saliency(saliency, shown, theta).nanmean()
    for name, value in measures.items():
        measure(name, value)


def _theta_by_images(saliency: Tensor, mixer: TransformMixer) -> Tensor:
    """Return the warps, (M, k, 2, 3), that equal weights and no noise leave to the images."""
    count, num_mix = saliency.shape[:2]
    weights = saliency.new_full((count, num_mix), 1 / num_mix)
    noise = torch.zeros_like(mixer.draw_noise(1, torch.Generator()), device=saliency.device)
    return mixer(saliency, weights, noise.expand(count, -1, -1, -1))[0]


def visible_weights(details: Details, mixer: TransformMixer) -> Tensor:
    """Return each image's share of the saliency that warp and masks leave visible, (M, k).

    Gradients reach the module by its warps and its masks.

    Args:
        details: Details of :func:`mix_with_teacher`.
        mixer: The mixing module.
    """
    shown = resize_map(details['masks'].squeeze(2), mixer.cam_size).unsqueeze(2)
    moved = warp(details['saliency'], details['theta'], mixer.padding_mode)
    return visible_shares(moved, shown)
