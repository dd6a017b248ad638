"""Write one HTML file about a run, or about several side by side."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from mmtmix.utils import atomic_path, check_device, check_output_file, load_safely

from .page import render_page, short_names
from .section import run_section
from .work_dir import check_work_dir, read_work_dir

_NAME = 'report.html'
_SUFFIXES = ('.html', '.htm')


def run(args: argparse.Namespace) -> Path:
    """Write the page and return its path.

    Args:
        args: Arguments of :mod:`mmtmix.cli.report`.

    Raises:
        FileNotFoundError: If a work dir does not exist or holds nothing of a run.
        ValueError: If an argument is wrong.
    """
    load_safely(args.trust_checkpoint)
    folders = [Path(folder) for folder in args.work_dirs]
    seen: dict[str, Path] = {}
    for folder in folders:
        check_work_dir(folder)
        if (other := seen.setdefault(os.path.realpath(folder), folder)) is not folder:
            raise ValueError(
                f'WORK_DIR {str(folder)!r} is {str(other)!r} again; give each work dir once'
            )
    out = Path(args.out or (folders[0] / _NAME if len(folders) == 1 else _NAME))
    check_output_file('--out', out, _SUFFIXES)
    if args.device:
        check_device('--device', args.device)
    sections = []
    for number, (folder, name) in enumerate(zip(folders, short_names(folders), strict=True), 1):
        content = read_work_dir(folder)
        section = run_section(content, f'run-{number}', name, not args.no_predict, args.device)
        if section.predicted.seconds is not None:
            print(f'{folder}: predicted its test set in {section.predicted.seconds:.1f} s')
        sections.append(section)
    page = render_page(sections)
    with atomic_path(out) as temporary:
        temporary.write_text(page, encoding='utf-8')
    print(f'wrote {out}')
    return out
