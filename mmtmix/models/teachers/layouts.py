"""Layouts of a module's output on the image: channels first or last, or patch tokens."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

MOST_EXTRA_TOKENS = 5  # a class token and four registers


@dataclass(frozen=True)
class Layout:
    """Place of the image's positions in a module's output.

    Attributes:
        kind: Order of the axes, ``'channels first'`` (N, C, h, w), ``'channels last'``
            (N, h, w, C) or ``'tokens'`` (N, num_extra_tokens + h * w, C).
        num_extra_tokens: Number of tokens ahead of the patches, such as a class token.
    """

    kind: str
    num_extra_tokens: int = 0

    def to_map(self, output: Tensor, image_size: tuple[int, int]) -> Tensor:
        """Return an output of this layout as a feature map (N, C, h, w).

        Args:
            output: Output of the module, or its gradient.
            image_size: Height and width of the images in pixels.

        Raises:
            ValueError: If the tokens fill no grid of the image's aspect.
        """
        if self.kind == 'channels first':
            return output
        if self.kind == 'channels last':
            return output.permute(0, 3, 1, 2)
        patches = output[:, self.num_extra_tokens :].transpose(1, 2)
        grid = token_grid(patches.size(-1), image_size)
        if grid is None:
            raise ValueError(
                f'{output.size(1)} tokens, {self.num_extra_tokens} of them extra ones, fill no '
                f'grid for images of {tuple(image_size)} pixels; give the number of tokens that '
                'stand for no patch: num_extra_tokens=... in the teacher'
            )
        return patches.unflatten(-1, grid)

    def __str__(self) -> str:
        if self.kind != 'tokens':
            return self.kind
        return f'tokens, {self.num_extra_tokens} extra'


def fits_image(height: int, width: int, image_size: tuple[int, int]) -> bool:
    """Return whether a grid has the aspect of an image, to less than one cell.

    Args:
        height: Rows of the grid.
        width: Columns of the grid.
        image_size: Height and width of the image in pixels.
    """
    tall, wide = image_size
    if not (0 < height <= tall and 0 < width <= wide):
        return False
    return abs(height * wide - width * tall) < max(image_size)


def token_grid(count: int, image_size: tuple[int, int]) -> tuple[int, int] | None:
    """Return rows and columns that patches fill with the aspect of an image; None if they can't.

    Args:
        count: Number of patches.
        image_size: Height and width of the image in pixels.
    """
    height = round((count * image_size[0] / image_size[1]) ** 0.5)
    if height == 0 or count % height or not fits_image(height, count // height, image_size):
        return None
    return height, count // height


def find_layout(
    shape: tuple[int, ...], image_size: tuple[int, int], num_extra_tokens: int | None = None
) -> Layout | None:
    """Infer a layout from the shape of an output.

    An output that could be both is channels first. Of the possible numbers of extra tokens the
    smallest is taken.

    Args:
        shape: Shape of the output, the batch first.
        image_size: Height and width of the images in pixels.
        num_extra_tokens: Number of tokens that stand for no patch, 0 or more; None to infer it.

    Returns:
        The layout, or None if the shape has no positions of the image.
    """
    if len(shape) == 4:
        if fits_image(shape[2], shape[3], image_size):
            return Layout('channels first')
        return Layout('channels last') if fits_image(shape[1], shape[2], image_size) else None
    if len(shape) != 3 or shape[2] == 1:  # pooled over the tokens of (N, C, tokens)
        return None
    counts = range(MOST_EXTRA_TOKENS + 1) if num_extra_tokens is None else [num_extra_tokens]
    for extra in counts:
        if shape[1] > extra and token_grid(shape[1] - extra, image_size) is not None:
            return Layout('tokens', extra)
    return None
