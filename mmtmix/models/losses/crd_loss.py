"""Contrastive representation distillation."""

from __future__ import annotations

import torch
import torch.distributed as torch_dist
import torch.nn.functional as F
from mmengine import dist
from mmpretrain.registry import MODELS
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mmtmix.checks import check_integer, check_number
from mmtmix.functional import ClassOrder, bank_scores, contrast_loss, log_normalizer

from .distill_loss import DistillLoss, NetworkOutputs


class Embeddings(nn.Module):
    """Linear maps of both networks' features onto one unit sphere.

    Args:
        student_dim: Number of the student's features.
        teacher_dim: Number of the teacher's features.
        dim: Number of dimensions of the sphere's space.
    """

    def __init__(self, student_dim: int, teacher_dim: int, dim: int):
        super().__init__()
        self.student = nn.Linear(student_dim, dim)
        self.teacher = nn.Linear(teacher_dim, dim)

    def forward(self, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit vectors (N, dim) of both networks.

        Args:
            student: Features of the student, (N, student_dim).
            teacher: Features of the teacher, (N, teacher_dim).
        """
        return F.normalize(self.student(student)), F.normalize(self.teacher(teacher))


@MODELS.register_module()
class CRDLoss(DistillLoss):
    """Contrasts the teacher's features of an image with those of images of other classes.

    `Contrastive Representation Distillation <https://arxiv.org/abs/1910.10699>`_.
    Each network's embedding of an image is contrasted with the other network's bank, which holds
    a running embedding of every training image. Embeddings are trained with the student; banks
    change after each step, by what all ranks saw. Memory for the banks is
    ``2 * num_samples * feature_dim * 4`` bytes: 51 MB for CIFAR.

    As in the authors' code, the negatives of an image are drawn anew in every step. Here they are
    drawn with replacement, which avoids a permutation of all images per image. The loss has the
    same mean over the draws, since each negative is uniform over the images of other classes in
    both cases. Of 16,384 negatives out of CIFAR-100's 49,500 images about 15 % repeat another.

    Args:
        feature_dim: Dimension of the embeddings, >= 1.
        num_negatives: Number of images of other classes to contrast each image with, >= 1.
        temperature: Divisor of the inner products, > 0.
        momentum: Share of the old embedding in the banks after a step, in [0, 1).
        loss_weight: Factor of the loss, >= 0.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    student_bank: Tensor
    teacher_bank: Tensor
    log_normalizers: Tensor
    labels: Tensor
    class_samples: Tensor
    class_starts: Tensor
    class_counts: Tensor

    name = 'crd'
    needs_features = True
    needs_index = True

    def __init__(
        self,
        feature_dim: int = 128,
        num_negatives: int = 16384,
        temperature: float = 0.07,
        momentum: float = 0.5,
        loss_weight: float = 0.8,
    ):
        super().__init__(loss_weight)
        check_integer('feature_dim', feature_dim, 1)
        check_integer('num_negatives', num_negatives, 1)
        check_number('temperature', temperature, above=0)
        check_number('momentum', momentum, 0, below=1)
        self.feature_dim = feature_dim
        self.num_negatives = num_negatives
        self.temperature = temperature
        self.momentum = momentum
        self._embed: nn.Module | None = None
        self._latest: tuple[Tensor, Tensor, Tensor] | None = None
        self._is_normalized = False

    def prepare(self, student_dim: int, teacher_dim: int, labels: Tensor, seed: int) -> None:
        """See :meth:`DistillLoss.prepare`.

        Raises:
            ValueError: If a dimension is unknown or there are no two classes.
        """
        dims = dict(student=student_dim, teacher=teacher_dim)
        unknown = [name for name, dim in dims.items() if not dim]
        if unknown:
            raise ValueError(
                f'CRDLoss needs the number of features, which is unknown for the '
                f'{" and the ".join(unknown)}; use heads with in_channels, such as LinearClsHead'
            )
        if len(labels.unique()) < 2:
            raise ValueError('CRDLoss needs training images of at least two classes')
        with torch.random.fork_rng(devices=[]):  # keeps the student's initialisation
            torch.manual_seed(seed)
            self.embeddings = Embeddings(student_dim, teacher_dim, self.feature_dim)
            bound = (3 / self.feature_dim) ** 0.5  # vectors of length about 1
            for name in ('student_bank', 'teacher_bank'):
                bank = torch.empty(len(labels), self.feature_dim).uniform_(-bound, bound)
                self.register_buffer(name, bank)
        # NaN until the first batch
        self.register_buffer('log_normalizers', torch.full((2,), torch.nan))
        self.register_buffer('labels', labels, persistent=False)
        for name, part in vars(ClassOrder.of(labels)).items():
            self.register_buffer(f'class_{name}', part, persistent=False)

    def forward(
        self, student: NetworkOutputs, teacher: NetworkOutputs, index: Tensor, seed: int
    ) -> Tensor:
        """See :meth:`DistillLoss.forward`."""
        embed = self._embed or self._wrap()
        if student.features is None or teacher.features is None:
            raise ValueError('CRDLoss compares features, and a network gave logits alone')
        with torch.autocast(index.device.type, enabled=False):
            ours, theirs = embed(student.features.float(), teacher.features.float())
            self._latest = (index, ours.detach(), theirs.detach())
            chosen = torch.cat([index[:, None], self._draw_negatives(index, seed)], dim=1)
            sides = [(ours, self.teacher_bank), (theirs, self.student_bank)]
            scores = [bank_scores(own, bank, chosen) / self.temperature for own, bank in sides]
            self._set_normalizers(scores)
            losses = [
                contrast_loss(score, normalizer, len(self.labels))
                for score, normalizer in zip(scores, self.log_normalizers, strict=True)
            ]
            return self.loss_weight * (losses[0] + losses[1])

    @torch.no_grad()
    def after_step(self) -> None:
        """Move the banks towards the embeddings of the batch's images.

        The forward pass cannot do it, since the backward pass needs the banks as they were.
        """
        if self._latest is None:
            return
        index, ours, theirs = (torch.cat(dist.all_gather(part)) for part in self._latest)
        for bank, features in ((self.student_bank, ours), (self.teacher_bank, theirs)):
            moved = self.momentum * bank[index] + (1 - self.momentum) * features
            bank[index] = F.normalize(moved)
        self._latest = None

    def _wrap(self) -> nn.Module:
        """Share the embeddings' gradients among ranks, as DDP shares the student's."""
        embed: nn.Module = self.embeddings
        if torch_dist.is_initialized() and dist.get_world_size() > 1:
            embed = DistributedDataParallel(embed)
        # no submodule, so that a checkpoint's keys don't depend on the number of ranks
        object.__setattr__(self, '_embed', embed)
        return embed

    def _draw_negatives(self, index: Tensor, seed: int) -> Tensor:
        """Draw for the batch of all ranks, as one process would, and return this rank's share."""
        rank, world_size = dist.get_dist_info()
        generator = torch.Generator(index.device).manual_seed(seed)
        classes = index.new_zeros(len(index), world_size)
        classes[:, rank] = self.labels[index]  # samples alternate among ranks
        order = ClassOrder(self.class_samples, self.class_starts, self.class_counts)
        drawn = order.draw_others(classes.flatten(), self.num_negatives, generator)
        return drawn.view(len(index), world_size, -1)[:, rank]

    @torch.no_grad()
    def _set_normalizers(self, scores: list[Tensor]) -> None:
        """Set both Z by the first batch, unless a resumed run has them."""
        if self._is_normalized:
            return
        self._is_normalized = True
        found = torch.stack([log_normalizer(side, len(self.labels)).exp() for side in scores])
        dist.all_reduce(found, op='mean')
        unknown = self.log_normalizers.isnan()
        self.log_normalizers = torch.where(unknown, found.log(), self.log_normalizers)
