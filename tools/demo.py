"""Run the main job on bundled real images: teacher, search, classifier, test, comparison.

It prints and runs the commands that a user would run. It is safe to interrupt: finished stages are
not run again. Everything goes to ``work_dirs/``; the table and the pictures to
``work_dirs/demo/``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from mmtmix.apps.reproduce import run_child
from mmtmix.cli.parser import CommandParser
from mmtmix.utils import atomic_path, load_config, run_command
from mmtmix.visualization import plot_curves, save_figure

TOOLS = Path(__file__).resolve().parent
NAME = 'glyphs_demo'
# TransformMix first: its teacher is the Simple run
METHODS = {
    'TransformMix': 'transformmix',
    'Simple': 'simple',
    'Mixup': 'mixup',
    'CutMix': 'cutmix',
}
ORDER = ('Simple', 'Mixup', 'CutMix', 'TransformMix')


def run(tool: str, *args: str) -> None:
    """Print and run a script of ``tools/``.

    Args:
        tool: File name of the script.
        args: Arguments of the script.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    print(f'\n$ python tools/{tool} {" ".join(args)}', flush=True)
    command = [sys.executable, str(TOOLS / tool), *args]
    if code := run_child(command, os.environ):
        raise subprocess.CalledProcessError(code, command)


def train_and_test(method: str) -> float:
    """Train a method if it is not trained yet, and test it.

    Args:
        method: Folder of its config.

    Returns:
        Top-1 accuracy on the 2,000 test images, in percent.
    """
    config = f'configs/{method}/{NAME}.py'
    work_dir = Path('work_dirs', method, NAME)
    if not (work_dir / 'last.pth').is_file():
        run('train.py', config, '--resume')
    result = work_dir / 'test.json'
    run('test.py', config, str(work_dir / 'last.pth'), '--out', str(result))
    return json.loads(result.read_text())['accuracy/top1']


def table(accuracies: dict[str, float], quality: dict[str, float]) -> str:
    """Return the figures as a table in Markdown.

    Args:
        accuracies: Top-1 accuracy by method, in percent.
        quality: Metrics of the search's last validation, by name.
    """
    lines = [
        '| method | top-1 (%) | teacher CE on the mix (nats) | top-2 = mixed classes (%) |',
        '|---|---|---|---|',
    ]
    for name in ORDER:
        prefix = f'mix/{METHODS[name]}'
        measured = f'{prefix}/ce' in quality
        ce = f'{quality[f"{prefix}/ce"]:.2f}' if measured else '-'
        top = f'{quality[f"{prefix}/top_k"]:.1f}' if measured else '-'
        lines.append(f'| {name} | {accuracies[name]:.2f} | {ce} | {top} |')
    return '\n'.join(lines)


def last_quality(work_dir: Path) -> dict[str, float]:
    """Return the metrics of the last validation in a search's log.

    Args:
        work_dir: Work dir of the search.
    """
    rows = []
    for file in sorted(work_dir.glob('*/vis_data/scalars.json')):
        rows += [json.loads(line) for line in file.read_text().splitlines()]
    return [row for row in rows if 'mix/transformmix/ce' in row][-1]


def main(argv: list[str] | None = None) -> None:
    """Run the demo."""
    CommandParser(description=__doc__).parse_args(argv)
    start = time.time()
    accuracies = {name: train_and_test(method) for name, method in METHODS.items()}
    out = Path('work_dirs', 'demo')
    panel, curves, report = out / 'mixes.png', out / 'curves.png', out / 'table.md'
    run('visualize_mix.py', f'configs/transformmix/{NAME}.py', '--out', str(panel))
    runs = {name: Path('work_dirs', METHODS[name], NAME) for name in ORDER}
    save_figure(plot_curves(runs), curves)
    cfg = load_config(f'configs/simple/{NAME}.py')
    images, epochs = cfg.train_dataloader.dataset.num_images, cfg.train_cfg.max_epochs
    text = table(accuracies, last_quality(Path('work_dirs', 'transformmix', f'search_{NAME}')))
    with atomic_path(report) as temporary:
        temporary.write_text(text + '\n')
    print(
        f'\nWRN-10-1 on {images:,} images of Glyphs, {epochs} epochs, one seed; tested on a '
        'drawing style that no training image has:\n'
        f'\n{text}\n\n'
        'One seed and a short budget: differences of a point are noise.\n'
        f'Mixes: {panel}\nTraining curves: {curves}\nTable: {report}\n'
        f'Took {(time.time() - start) / 60:.1f} minutes.'
    )


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
