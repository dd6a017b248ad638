"""Settings of the SuperMix solver."""

from __future__ import annotations

from dataclasses import dataclass

METHODS = ('newton', 'newton_tv', 'sgd')
DIVERGENCES = ('forward', 'reverse')

_NUMBERS = (
    'sigma',
    'lambda_s',
    'lambda_sigma',
    'min_change',
    'lr',
    'smoothing',
    'max_unfinished_ratio',
)


@dataclass(frozen=True)
class SuperMixSettings:
    """How masks are optimised; the defaults are those for CIFAR (section 4).

    Attributes:
        mask_size: Side w of the optimised masks; 8 for CIFAR, 16 for ImageNet.
        sigma: Standard deviation of the smoothing in pixels of the mask; 1, or 2 for ImageNet.
        lambda_s: Weight of the sparsity loss, >= 0.
        max_iters: Most steps a sample gets.
        max_unfinished_ratio: The batch ends when no larger share of it is unfinished; 0.1 for
            CIFAR, 0.5 for ImageNet.
        min_iters: Number of steps before a sample may finish, >= 0. 0 is the paper's Algorithm 1,
            which checks before it steps: about a third of the mixes of two images are then plain
            averages. 1 is its public code, which steps once before it checks.
        min_change: Least change of the masks in a step, >= 0, mean absolute difference over
            pixels. Ours: a sample whose masks change by less is given up, unfinished. Its masks
            are saturated, and nearly all such samples would take ``max_iters`` steps without
            success. The default is a grey level of 255. 0 never gives up, as in the paper and its
            code; nor does ``'sgd'``, whose steps are all small.
        step_range: Bounds of the Newton step's length.
        divergence: ``'forward'``, KL(y, f) with its entropy term, which sets the step's length;
            or ``'reverse'``, KL(f, y) with a smoothed y.
        smoothing: Probability spread over all classes of y in the reverse divergence, (0, 1].
        method: ``'newton'`` with smooth projection (Eq. 7), ``'newton_tv'`` with the total
            variation in the loss in its place (Eq. 6), ``'sgd'`` on that loss (section 4.4).
        lambda_sigma: Weight of the total variation for the two rivals, >= 0.
        lr: Step of ``'sgd'``, > 0.
        chunk_size: Samples that go through the teacher at once, which bounds the memory; by
            default all of them, but fewer on CPUs, where that is faster.
        legacy_kernel: Whether to take the public code's Gaussian, see :func:`gaussian_kernel`.

    Raises:
        ValueError: If one is out of its range.
    """

    mask_size: int = 8
    sigma: float = 1.0
    lambda_s: float = 25.0
    max_iters: int = 50
    max_unfinished_ratio: float = 0.1
    min_iters: int = 0
    min_change: float = 0.004
    step_range: tuple[float, float] = (1e-4, 2000.0)
    divergence: str = 'forward'
    smoothing: float = 1e-3
    method: str = 'newton'
    lambda_sigma: float = 250.0
    lr: float = 0.1
    chunk_size: int | None = None
    legacy_kernel: bool = False

    def __post_init__(self) -> None:
        for name, known in (('method', METHODS), ('divergence', DIVERGENCES)):
            if getattr(self, name) not in known:
                raise ValueError(f'{name} must be one of {known}, got {getattr(self, name)!r}')
        for name, least in (('mask_size', 1), ('max_iters', 0), ('min_iters', 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(f'{name} must be an integer >= {least}, got {value!r}')
        chunk = self.chunk_size
        if chunk is not None and (not isinstance(chunk, int) or chunk < 1):
            raise ValueError(f'chunk_size must be an integer >= 1 or None, got {chunk!r}')
        if self.min_iters > self.max_iters:
            raise ValueError(
                f'min_iters={self.min_iters} leaves nothing of max_iters={self.max_iters}; no '
                'sample could finish'
            )
        try:
            low, high = map(float, self.step_range)
        except (TypeError, ValueError):
            raise ValueError(
                f'step_range must be the two bounds of a step, got {self.step_range!r}'
            ) from None
        for name in _NUMBERS:
            if not isinstance(getattr(self, name), (int, float)):
                raise ValueError(f'{name} must be a number, got {getattr(self, name)!r}')
        ranges = {
            'sigma': self.sigma > 0,
            'lambda_s': self.lambda_s >= 0,
            'lambda_sigma': self.lambda_sigma >= 0,
            'min_change': self.min_change >= 0,
            'lr': self.lr > 0,
            'smoothing': 0 < self.smoothing <= 1,
            'max_unfinished_ratio': 0 <= self.max_unfinished_ratio <= 1,
            'step_range': 0 < low <= high,
        }
        for name, fits in ranges.items():
            if not fits:
                raise ValueError(f'{name} is out of its range, got {getattr(self, name)!r}')

    @property
    def gives_up(self) -> bool:
        """Whether samples whose masks are stuck are given up."""
        return self.min_change > 0 and self.method != 'sgd'
