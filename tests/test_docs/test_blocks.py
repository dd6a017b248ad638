"""Every block in ``bash`` or ``python`` of README, docs, CONTRIBUTING and the configs' READMEs.

The blocks of a page run in their order, in a fresh folder. A block's test first runs the blocks
above it, if they have not run. ``pytest tests/test_docs --durations 20`` lists the slow ones.
"""

from __future__ import annotations

import contextlib
import linecache
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmtmix.apps.train.rehearsal import rehearse
from mmtmix.engine.stages import Stage
from mmtmix.utils import load_config

from .commands import check_command, check_same, commands_in
from .conftest import tensors
from .page import Block, Page, pages, read_page
from .shell import forgetting_modules, run_shell

PAGES = {path: read_page(path) for path in pages()}
BLOCKS = [block for page in PAGES.values() for block in page.blocks]


class PageRun:
    """The blocks of a page, as far as they have run.

    Args:
        page: Page.
        folder: Folder in which they run.
        forget: Function that clears what a run leaves in MMEngine.
    """

    def __init__(self, page: Page, folder: Path, forget: Callable[[], None]):
        self.page, self.folder, self.forget = page, folder, forget
        self.waiting = list(page.blocks)
        self.failed: Block | None = None
        self.names: dict[str, Any] = dict(__name__='page')
        if 'tensors' in page.fixtures:
            self.names |= tensors()

    def run_to(self, block: Block) -> None:
        """Run what has not run, up to and including a block.

        Args:
            block: Block of the page.
        """
        while block in self.waiting:
            if self.failed is not None:
                pytest.fail(f'{self.failed.name} failed, which comes before')
            each = self.waiting.pop(0)
            self.failed = each
            self.run(each)
            self.failed = None

    def run(self, block: Block) -> None:
        """Run a block by its marks.

        Args:
            block: Block of the page.
        """
        if block.mark('file'):
            path = self.folder / str(block.mark('file'))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding='utf-8')
            if block.is_config and block.mark('not run') is None:
                load_config(path)
        elif block.mark('not run'):
            for command in commands_in(block.text) if block.language == 'bash' else ():
                check_command(command)
        elif block.language == 'bash':
            commands = block.mark('runs as')
            if commands is not None:
                check_same(block.text, commands)
            run_shell(block.text if commands is None else commands, self.folder, self.forget)
        elif block.mark('added to'):
            self.rehearse(block)
        elif block.is_config:
            path = self.folder / f'block{block.line}.py'
            path.write_text(block.text, encoding='utf-8')
            load_config(path)
        else:
            name = f'<{block.name}>'
            # tracebacks show the lines of the page
            source = '\n' * block.line + block.text
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
            exec(compile(source, name, 'exec'), self.names)

    def rehearse(self, block: Block) -> None:
        """Build what a part of a config names, on top of another config.

        Files that the part names need not exist.

        Args:
            block: Block with a mark ``added to``.
        """
        path = self.folder / f'block{block.line}.py'
        path.write_text(f'_base_ = {block.mark("added to")!r}\n\n{block.text}', encoding='utf-8')
        cfg = load_config(path)
        cfg.work_dir = str(self.folder / 'work_dirs' / path.stem)
        with contextlib.suppress(FileNotFoundError):
            rehearse([Stage(str(path), cfg)])


@pytest.fixture(scope='module')
def page_runs(page_folder, forget_runs, request) -> Any:
    """The runs of pages by path, which begin when they are asked for."""
    runs: dict[str, PageRun] = {}

    def start(page: Page) -> PageRun:
        if page.path not in runs:
            needs = 'trained' in page.fixtures
            trained = request.getfixturevalue('trained_runs') if needs else None
            folder = page_folder(page.fixtures, trained)
            runs[page.path] = PageRun(page, folder, forget_runs)
        return runs[page.path]

    return start


@pytest.mark.parametrize('block', BLOCKS, ids=lambda block: block.name)
def test_it_runs(block, page_runs, monkeypatch):
    page_run = page_runs(PAGES[block.page])
    monkeypatch.chdir(page_run.folder)
    monkeypatch.syspath_prepend(page_run.folder)
    monkeypatch.setenv('MMTMIX_MALLOPT', '0')
    with forgetting_modules(page_run.folder):
        page_run.run_to(block)
