"""How a teacher and a mixing module make a mix, in the search and in use."""

from __future__ import annotations

from torch import Tensor

from .draw import Details, Draw
from .mixers import TransformMixer
from .teachers import FrozenTeacher


def mix_with_teacher(
    teacher: FrozenTeacher,
    mixer: TransformMixer,
    images: Tensor,
    scores: Tensor,
    draw: Draw,
    by_label: bool = True,
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
    noise = mixer.draw_noise(len(draw.index), draw.generator)
    noise = noise.to(images.device, non_blocking=True)
    mixed, details = mixer.mix(images, draw.index, saliency, draw.weights, noise)
    return mixed, dict(details, saliency=saliency, clean_logits=logits)
