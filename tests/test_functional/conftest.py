"""Small problems for SuperMix's solver: some samples finish at once, some later, some never."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from mmtmix.functional import SuperMixSettings, SuperMixSolution, draw_weights, solve_masks


@dataclass
class Problem:
    """Sets of images with distinct classes, and a teacher that has an opinion of them."""

    images: Tensor
    classes: Tensor
    weights: Tensor
    teacher: nn.Module

    def solve(self, **settings) -> SuperMixSolution:
        """Solve it with some fields of :class:`SuperMixSettings`."""
        arguments = self.images, self.classes, self.weights
        return solve_masks(*arguments, self.teacher, SuperMixSettings(**settings))

    def take(self, samples: Sequence[int]) -> Problem:
        """Some of its samples, copied."""
        samples = list(samples)
        return Problem(
            self.images[samples], self.classes[samples], self.weights[samples], self.teacher
        )

    def still(self) -> Problem:
        """The same, but each image with itself: no mask changes the mix."""
        images = self.images[:, :1].expand_as(self.images).contiguous()
        return Problem(images, self.classes, self.weights, self.teacher)


@pytest.fixture
def make_problem() -> Callable[..., Problem]:
    """Make a problem: ``make_problem(num_samples=12, num_mix=2, shape=(3, 12, 12), scale=20)``."""

    def make(
        num_samples: int = 12,
        num_mix: int = 2,
        shape: tuple[int, ...] = (3, 12, 12),
        scale: float = 20.0,
    ) -> Problem:
        generator = torch.Generator().manual_seed(3)
        teacher = nn.Sequential(
            nn.Conv2d(shape[0], 8, 3, padding=1),
            nn.Tanh(),
            nn.Conv2d(8, 8, 3, stride=2, padding=1),
            nn.Tanh(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(32, 6),
        ).eval()
        for parameter in teacher.parameters():
            nn.init.normal_(parameter, std=0.5, generator=generator)
        images = torch.randn(num_samples, num_mix, *shape, generator=generator)
        with torch.no_grad():
            teacher[-1].weight *= scale
            teacher[-1].bias -= teacher(images.flatten(0, 1)).mean(dim=0)
            # the teacher's own class, but where the image before has it already
            ranked = teacher(images.flatten(0, 1)).argsort(dim=1, descending=True)
        classes = torch.zeros(num_samples, num_mix, dtype=torch.long)
        for n, ranks in enumerate(ranked.unflatten(0, (num_samples, num_mix)).tolist()):
            used: list[int] = []
            for i, rank in enumerate(ranks):
                used.append(next(c for c in rank if c not in used))
                classes[n, i] = used[i]
        weights = draw_weights(num_samples, num_mix, 3.0, generator)
        return Problem(images, classes, weights, teacher)

    return make
