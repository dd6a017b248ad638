"""The page in a browser: nothing is requested, nothing sticks out, and it can be read."""

import shutil

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmtmix.apps.report.predicted import FILE
from mmtmix.apps.report.work_dir import read_work_dir
from mmtmix.cli.main import call
from mmtmix.evaluation.identity import images_digest, network_digest
from mmtmix.evaluation.predictions import Predictions
from mmtmix.utils import file_digest

sync_api = pytest.importorskip('playwright.sync_api', reason='playwright is not installed')

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason=f'no browser: none of {", ".join(NAMES)}')

TEST_SET = "test_dataloader = dict(dataset=dict(type='CustomDataset', data_root='images'))\n"
HOSTILE = (
    '<img src=http://example.invalid/x onerror=alert(1)> "ü" of_a_class_with_a_rather_long_name'
)
FAULTS = """
() => {
  const wrong = [];
  for (const th of document.querySelectorAll('th')) if (!th.scope) wrong.push(th.outerHTML);
  for (const table of document.querySelectorAll('table')) if (!table.caption) wrong.push('table');
  for (const img of document.images) if (!img.alt || !img.naturalWidth) wrong.push(img.alt);
  for (const svg of document.querySelectorAll('svg'))
    if (!svg.ariaLabel && svg.getAttribute('aria-hidden') !== 'true') wrong.push(svg.outerHTML);
  for (const a of document.querySelectorAll('a'))
    if (!document.getElementById(a.getAttribute('href').slice(1))) wrong.push(a.outerHTML);
  return wrong;
}
"""
CAPTIONS = """
() => {
  const wrong = [];
  for (const wide of document.querySelectorAll('.wide:has(table)')) {
    const text = wide.querySelector('caption span');
    for (const left of [0, wide.scrollWidth]) {
      wide.scrollLeft = left;
      const [inner, outer] = [text, wide].map(e => e.getBoundingClientRect());
      if (inner.left < outer.left - 1 || inner.right > outer.right + 1) wrong.push(text.innerText);
    }
  }
  return wrong;
}
"""
CONTRAST = """
() => {
  const light = text => {
    const rgb = text.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  return ['p', 'h1', '.quiet', 'a', 'caption', 'figcaption', 'td', 'svg text'].map(name => {
    const style = getComputedStyle(document.querySelector(name));
    const text = light(name.startsWith('svg') ? style.fill : style.color);
    return (Math.max(page, text) + 0.05) / (Math.min(page, text) + 0.05);
  });
}
"""


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    """Pages of a run with 2 classes, and of runs with 2, 10 and 200, with hostile names."""
    root = tmp_path_factory.mktemp('runs')
    folders = []
    for classes in (2, 10, 200):
        folder = root / f'{classes} {"<b>" if classes == 2 else "classes"}'
        data = folder / '20260101_000000' / 'vis_data'
        (data / 'vis_image').mkdir(parents=True)
        Image.new('RGB', (1600, 300), (200, 90, 30)).save(data / 'vis_image' / 'mixes_7.png')
        head = f"model = dict(type='A', backbone=dict(type='{'x' * 80}', depth={classes}))\n"
        (data / 'config.py').write_text(f'{head}train_cfg = dict(max_epochs=2)\n{TEST_SET}')
        (data / 'scalars.json').write_text(
            '{"loss": 2.0, "step": 5, "iter": 5, "epoch": 1}\n'
            '{"loss": 1.0, "step": 10, "iter": 10, "epoch": 2}\n'
            '{"accuracy/top1": 50.0, "step": 2}\n'
        )
        (folder / 'last.pth').write_bytes(b'weights')
        save_predictions(folder, classes)
        folders.append(folder)
    out = [root / 'one.html', root / 'several.html']
    for chosen, page in zip((folders[:1], folders), out, strict=True):
        call('report', [*map(str, chosen), '--no-predict', '--out', str(page)])
    return out


def save_predictions(folder, classes):
    """Write predictions that fit the work dir, for 400 images."""
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.full(classes, 0.3), 400).astype(np.float32)
    names = tuple(HOSTILE if number % 3 == 0 else f'class {number}' for number in range(classes))
    labels = np.where(rng.random(400) < 0.7, scores.argmax(1), rng.integers(classes, size=400))
    test_set = images_digest(Config(dict(read_work_dir(folder).config)))
    network = network_digest(Config(dict(read_work_dir(folder).config)))
    digest = file_digest(folder / 'last.pth', 64)
    Predictions(scores, labels, names, digest, test_set, network=network).save(folder / FILE)


@pytest.fixture(scope='module')
def browser():
    """A browser of the system."""
    with sync_api.sync_playwright() as started:
        found = started.chromium.launch(executable_path=BROWSER, args=['--no-sandbox'])
        yield found
        found.close()


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('width', [1200, 390])
def test_pages_fit_and_request_nothing(pages, browser, width, scheme):
    backgrounds = []
    for page in pages:
        context = browser.new_context(viewport=dict(width=width, height=900), color_scheme=scheme)
        tab, seen = context.new_page(), []
        tab.on('console', lambda message, seen=seen: seen.append(message.text))
        tab.on('pageerror', lambda error, seen=seen: seen.append(str(error)))
        tab.on('dialog', lambda dialog, seen=seen: seen.append(dialog.message))
        tab.on('request', lambda request, seen=seen: seen.append(request.url))
        tab.goto(page.as_uri())
        assert [url for url in seen if not url.startswith('data:')] == [page.as_uri()]
        assert tab.evaluate('document.documentElement.scrollWidth') == width
        assert HOSTILE in tab.evaluate('document.body.textContent')
        assert tab.evaluate(FAULTS) == []
        assert tab.evaluate(CAPTIONS) == []  # they are read without scrolling
        assert min(tab.evaluate(CONTRAST)) >= 4.5
        backgrounds.append(tab.evaluate('getComputedStyle(document.body).backgroundColor'))
        context.close()
    light = all(min(map(int, each[4:-1].split(','))) > 200 for each in backgrounds)
    assert light == (scheme == 'light')


def test_a_printed_page_is_light(pages, browser):
    context = browser.new_context(color_scheme='dark')
    tab = context.new_page()
    tab.goto(pages[0].as_uri())
    tab.emulate_media(media='print')
    background = tab.evaluate('getComputedStyle(document.body).backgroundColor')
    assert background == 'rgb(255, 255, 255)'
    assert not tab.locator('nav').is_visible()
    context.close()
