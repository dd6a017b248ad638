"""Attentive CutMix with a partner for each mix."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_integer
from mmtmix.functional import enlarge_cells, layer_masks, top_cells
from mmtmix.models.draw import Draw
from mmtmix.models.label_rules import GT, LabelRule
from mmtmix.models.saliency import SaliencySource
from mmtmix.models.teachers import FrozenTeacher

from .mask_augment import SaliencyMaskAugment, saliency_of


@BATCH_AUGMENTS.register_module()
class AttentiveMix(SaliencyMaskAugment):
    """`Attentive CutMix <https://arxiv.org/abs/2003.13048>`_ of two images.

    The most salient cells of the partner's grid replace those of the own image. Only the partner
    is drawn. The ``weights`` in the details are the cells' area, 6/49 of the picture in the paper.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher, whose
            class activation maps are the attention.
        saliency: Source of the attention in place of a teacher: its name, config or the source.
        num_cells: Number of cells to paste, 1 to grid_size squared.
        grid_size: Number of cells along each side of the picture, >= 1.
        num_mix: Number of images per mix, 2.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        labels: Label rule, see :class:`BatchAugment`; by default the ``weights`` of the details.

    Raises:
        FileNotFoundError: At the first call, if the teacher's files do not exist.
        TypeError: If ``saliency`` is no source.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        teacher: dict | FrozenTeacher | None = None,
        saliency: str | Mapping | SaliencySource | None = None,
        num_cells: int = 6,
        grid_size: int = 7,
        num_mix: int = 2,
        num_classes: int | None = None,
        labels: str | Mapping | LabelRule = GT,
    ):
        cure = 'cells of one partner are pasted; for more images use SaliencyMix'
        check_integer('num_mix', num_mix, 2, 2, cure=cure)
        check_integer('grid_size', grid_size, 1)
        check_integer('num_cells', num_cells, 1, grid_size**2, cure='the grid has no more')
        source = saliency_of(teacher, saliency)
        self.num_cells, self.grid_size = num_cells, grid_size
        super().__init__(source, num_classes=num_classes, labels=labels)

    def salient_masks(self, saliency: Tensor, draw: Draw, size: torch.Size) -> Tensor:
        """See :meth:`SaliencyMaskAugment.salient_masks`."""
        cells = top_cells(saliency, self.grid_size, self.num_cells)
        return layer_masks(enlarge_cells(cells[draw.index[:, 1:]], *size))
