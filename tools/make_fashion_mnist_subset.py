"""Make a small balanced Fashion-MNIST from the official files, in the same format.

Classes take turns (0, 1, ..., 9, 0, 1, ...), so every prefix of the subset is balanced. A smaller
subset with the same seed is a prefix of a larger one.

Example:
    python tools/make_fashion_mnist_subset.py /usr/share/datasets/fashion-mnist \
        mmtmix/datasets/data/fashion_mnist_mini --train 5000 --test 2000 --seed 0
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmtmix.cli.parser import CommandParser
from mmtmix.datasets.fashion_mnist import IDX_FILES, NUM_CLASSES, find_idx_file, read_split
from mmtmix.utils import check_output_folder, run_command

LICENSE = """The MIT License (MIT)

Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of
this software and associated documentation files (the "Software"), to deal in
the Software without restriction, including without limitation the rights to
use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of
the Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS
FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

README = """# Fashion-MNIST, a small balanced subset

{train} training and {test} test images of
[Fashion-MNIST](https://github.com/zalandoresearch/fashion-mnist) (28x28, grey, 10 classes; Xiao,
Rasul and Vollgraf, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747)), unchanged, in the
official IDX format and under the official names. For trying things out and for tests: accuracies
on it are not comparable with published ones. Copyright (c) 2017 Zalando SE, MIT licence: see
`LICENSE`.

Training images come from the official training files, test images from the official test files,
drawn at random within each class without replacement. Classes take turns (0, 1, ..., 9, 0, ...),
so the first n images are balanced for every n.

## How it was made

```
python tools/make_fashion_mnist_subset.py SRC_DIR OUT_DIR \\
    --train {train} --test {test} --seed {seed}
```

`SRC_DIR` holds the four official files (Debian's package `dataset-fashion-mnist` installs them in
`/usr/share/datasets/fashion-mnist`). Running it again gives the same bytes; another zlib version
may compress differently, the contents stay the same.

## Files (sha256)

| file | items | bytes | sha256 | sha256 of the contents, un-gzipped |
|---|---|---|---|---|
{outputs}

## Made from (sha256)

| file | items | sha256 of the contents, un-gzipped |
|---|---|---|
{sources}
"""


def balanced_indices(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draw the same number of images of every class, in an order in which the classes take turns.

    Args:
        labels: Labels of the whole set, shape ``(N,)``.
        count: Number of images to draw in all, a positive multiple of the number of classes.
        seed: Seed of the draw.

    Returns:
        Indices into ``labels``, shape ``(count,)``.

    Raises:
        ValueError: If ``count`` is no such multiple, or a class has too few images.
    """
    if count <= 0 or count % NUM_CLASSES:
        raise ValueError(
            f'count must be a positive multiple of {NUM_CLASSES} (the classes), got {count}.'
        )
    per_class = count // NUM_CLASSES
    # RandomState's stream never changes; a Generator's may change between NumPy versions.
    rng = np.random.RandomState(seed)
    columns = []
    for label in range(NUM_CLASSES):
        order = rng.permutation(np.flatnonzero(labels == label))
        if len(order) < per_class:
            raise ValueError(
                f'count={count} needs {per_class} images of each class, but class {label} has '
                f'only {len(order)}; draw fewer.'
            )
        columns.append(order[:per_class])
    return np.stack(columns, axis=1).reshape(-1)


def encode_idx(array: np.ndarray) -> bytes:
    """Encode a uint8 array in the IDX format.

    Args:
        array: Array of uint8, of any shape.

    Returns:
        The contents of the file.
    """
    header = struct.pack(f'>BBBB{array.ndim}I', 0, 0, 0x08, array.ndim, *array.shape)
    return header + np.ascontiguousarray(array, dtype=np.uint8).tobytes()


def compress(data: bytes) -> bytes:
    """Gzip without a time stamp or a name, so that equal data become equal bytes.

    Args:
        data: Bytes to compress.

    Returns:
        The gzipped data.
    """
    buffer = io.BytesIO()
    with gzip.GzipFile(filename='', mode='wb', fileobj=buffer, compresslevel=9, mtime=0) as stream:
        stream.write(data)
    return buffer.getvalue()


def build_subset(src: Path, train: int, test: int, seed: int) -> dict[str, bytes]:
    """Make every file of the subset in memory.

    Args:
        src: Folder with the official files, gzipped or plain.
        train: Number of training images to draw.
        test: Number of test images to draw.
        seed: Seed of the draw.

    Returns:
        File contents by name: four gzipped IDX files, ``README.md`` and ``LICENSE``.

    Raises:
        FileNotFoundError: If an official file is missing.
        ValueError: If a file is damaged, or a count is impossible.
    """
    names = [name for pair in IDX_FILES.values() for name in pair]
    missing = [f'{name}.gz' for name in names if find_idx_file(src, name) is None]
    if missing:
        raise FileNotFoundError(
            f'SRC_DIR {src.absolute()} lacks {", ".join(missing)} (gzipped or plain); give the '
            'folder of the official Fashion-MNIST files.'
        )
    files: dict[str, bytes] = {}
    outputs, sources = [], []
    for split, count in (('train', train), ('test', test)):
        arrays = read_split(src, split)
        index = balanced_indices(arrays[1], count, seed)
        for name, array in zip(IDX_FILES[split], arrays, strict=True):
            content = encode_idx(array[index])
            packed = files[f'{name}.gz'] = compress(content)
            outputs.append(
                f'| `{name}.gz` | {count} | {len(packed)} | `{_sha256(packed)}` '
                f'| `{_sha256(content)}` |'
            )
            sources.append(f'| `{name}` | {len(array)} | `{_sha256(encode_idx(array))}` |')
    readme = README.format(
        train=train,
        test=test,
        seed=seed,
        outputs='\n'.join(outputs),
        sources='\n'.join(sources),
    )
    return {**files, 'README.md': readme.encode(), 'LICENSE': LICENSE.encode()}


def write_files(out: Path, files: dict[str, bytes]) -> None:
    """Write all files beside their final names first, then rename them.

    Args:
        out: Folder of the files, which is made if it is missing.
        files: Contents by name.
    """
    out.mkdir(parents=True, exist_ok=True)
    temporary = {name: out / f'.{name}.{os.getpid()}.tmp' for name in files}
    try:
        for name, path in temporary.items():
            path.write_bytes(files[name])
        for name, path in temporary.items():
            os.replace(path, out / name)
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main(argv: Sequence[str] | None = None) -> None:
    """Make the subset.

    Args:
        argv: Arguments of the command line; ``sys.argv[1:]`` if None.

    Raises:
        FileNotFoundError: If an official file is missing.
        ValueError: If a file is damaged, a count is impossible, or the subset would overwrite
            its source.
    """
    parser = CommandParser(description=__doc__.splitlines()[0])
    parser.add_argument('src_dir', type=Path, help='folder with the four official files')
    parser.add_argument('out_dir', type=Path, help='folder to write the subset to')
    parser.add_argument('--train', type=int, default=5000, help='training images')
    parser.add_argument('--test', type=int, default=2000, help='test images')
    parser.add_argument('--seed', type=int, default=0, help='seed of the draw')
    args = parser.parse_args(argv)
    if args.src_dir.resolve() == args.out_dir.resolve():
        raise ValueError(f'OUT_DIR must not be SRC_DIR ({args.src_dir}): it would be overwritten.')
    check_output_folder('OUT_DIR', args.out_dir)
    files = build_subset(args.src_dir, args.train, args.test, args.seed)
    write_files(args.out_dir, files)
    total = sum(map(len, files.values()))
    print(f'{len(files)} files, {total} bytes in {args.out_dir}')


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
