"""Read images from files, with an error that names the file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from mmcv.transforms import LoadImageFromFile
from mmengine.registry import Registry
from mmpretrain.registry import TRANSFORMS

_STOCK = LoadImageFromFile.__name__


@TRANSFORMS.register_module()
class CheckedLoadImageFromFile(LoadImageFromFile):
    """Load an image as MMCV's ``LoadImageFromFile`` does, and name the file in errors.

    OpenCV returns nothing for some damaged files and raises an error of its own for empty ones.
    Neither names the file. OpenCV decodes most JPEGs that end too early, with grey in place of
    the rest; ``tools/prepare_data.py NAME --deep`` finds those. The arguments are those of MMCV's
    ``LoadImageFromFile``.
    """

    @classmethod
    def channel_order(cls, imdecode_backend: str = 'cv2', **kwargs: Any) -> str:
        """Return ``'bgr'``, in which MMCV decodes.

        Args:
            imdecode_backend: Name of the backend, as in the constructor.
            **kwargs: Other arguments of the constructor, unused.

        Raises:
            ValueError: If the backend is tifffile, for which MMCV keeps the order of the file.
        """
        if imdecode_backend == 'tifffile':
            raise ValueError("tifffile keeps the file's order")
        return 'bgr'

    def transform(self, results: dict) -> dict | None:
        """Load the image of ``results['img_path']``.

        Args:
            results: Item of the data set.

        Returns:
            The item with ``img``, ``img_shape`` and ``ori_shape``; None if the image cannot be
            read and ``ignore_empty`` is set.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no image that can be decoded.
        """
        try:
            return super().transform(results)
        except Exception as error:  # each decoder has errors of its own
            path = results['img_path']
            item = f' (item {results["sample_idx"]})' if 'sample_idx' in results else ''
            if isinstance(error, FileNotFoundError):
                raise FileNotFoundError(
                    f'{path}{item} does not exist; unpack or fetch it again.'
                ) from error
            if isinstance(error, OSError) and error.errno is not None:
                raise type(error)(
                    error.errno, f'{path}{item} cannot be read: {error.strerror}'
                ) from error
            is_empty = os.path.isfile(path) and not os.path.getsize(path)
            reason = ' '.join(f'{type(error).__name__}: {error}'.split())
            raise ValueError(
                f'{path}{item} cannot be decoded as an image '
                f'({"the file is empty" if is_empty else reason}); it is damaged: unpack or fetch '
                'it again.'
            ) from error


def name_image_files(settings: Any) -> None:
    """Replace each ``LoadImageFromFile`` of MMCV by the one that names a damaged file.

    Args:
        settings: Config or any part of one, at any depth, changed in place. Other classes that
            load images stay.
    """
    if isinstance(settings, Mapping):
        kind = settings.get('type')
        kind = find_type(TRANSFORMS, kind) if str(kind).endswith(_STOCK) else kind
        if kind is LoadImageFromFile:
            settings['type'] = f'mmpretrain.{CheckedLoadImageFromFile.__name__}'  # type: ignore
        settings = settings.values()
    elif not isinstance(settings, (list, tuple)):
        return
    for part in settings:
        name_image_files(part)


def find_type(registry: Registry, kind: Any) -> Any:
    """Return the class that a ``type`` of a config means, and import no package for it.

    A registry imports the module of a name such as ``'package.Class'``. A config that is only read
    may be a stranger's, whose names must not run anything.

    Args:
        registry: Registry of such classes.
        kind: Value of ``type``: a name or a class.

    Returns:
        The class; None if it is not registered, or its package is not imported yet.
    """
    if not isinstance(kind, str):
        return kind
    package, dot, _ = kind.partition('.')
    return None if dot and package not in sys.modules else registry.get(kind)
