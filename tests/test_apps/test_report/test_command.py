"""The page of real runs: what is in it, and that it is the same each time."""

import html
import json
import re
import shutil

import pytest

from mmtmix.cli.main import call, run

from .conftest import CLASSES

pytestmark = pytest.mark.host


def text_of(page):
    """Return the text of a page as a reader gets it."""
    plain = re.sub(r'<style>.*?</style>|<[^>]+>', ' ', page, flags=re.DOTALL)
    return re.sub(r'\s+', ' ', html.unescape(plain))


def test_a_page_has_all_that_is_known_of_a_run(in_project, report, capfd):
    vis = next(in_project.glob('work_dirs/photos/search/*/vis_data')) / 'vis_image'
    (vis / 'mixes_99999.png').write_bytes(b'no picture')
    page = report('work_dirs/photos/transformmix')
    assert 'work_dirs/photos/transformmix: predicted its test set in ' in capfd.readouterr().out
    text = text_of(page)
    assert (
        'WideResNet (depth=10, widen_factor=1) for 3 classes on CustomDataset in photos with '
        'TransformMix (alpha=1.0, num_mix=2) on a share of 0.5 of the batches, 6 epochs, '
        '8 images per batch, SGD'
    ) in text
    for stage in ('teacher', 'search', 'transformmix'):
        record = json.loads((in_project / f'work_dirs/photos/{stage}/run.json').read_text())
        assert record['digest'] in text
        assert f'mmtmix train configs/photos/{stage}.py' in text
    assert 'changed since' not in text
    assert 'configs/photos/transformmix.py inherits from teacher.py' in text
    assert "dict(augments=TransformMix(mixer='work_dirs/photos/search/mixer.pth'" in text
    # as the run and its search have drawn them
    assert 'Of the stage work_dirs/photos/search: Mixes at step 1, panel 1 of ' in text
    assert text.count('Mixes at step') == page.count('src="data:image/png;base64,') == 3
    assert 'The picture mixes_99999.png cannot be read: it is no whole PNG.' in text
    assert 'for the 18 images of its test set, computed in float32' in text
    assert 'expected calibration error (ECE, 15 bins of equal width) is' in text
    assert 'The ECE of 18 test images in 15 bins is mostly chance' in text
    assert 'Images per second' in text and 'Share of waiting for data' in text
    assert all(name in text for name in ('torch', 'mmengine', 'Precision', 'Seed'))


def test_names_are_escaped_and_nothing_is_requested(in_project, report):
    page = report('work_dirs/photos/transformmix')
    assert '<script' not in page
    assert all(html.escape(name).replace('&quot;', '&#34;').replace('&#x27;', '&#39;') in page
               for name in CLASSES)  # fmt: skip
    addresses = re.findall(r'(?:src|href)="([^"#]{5})', page)
    assert set(addresses) <= {'data:'}
    assert 'url(' not in page and '@import' not in page


def test_the_same_input_gives_the_same_bytes(in_project, report, capfd):
    first = report('work_dirs/photos/cutmix')
    capfd.readouterr()
    assert report('work_dirs/photos/cutmix') == first
    assert 'predicted' not in capfd.readouterr().out  # they were kept


def test_a_run_is_found_from_another_folder(in_project, report, monkeypatch, tmp_path):
    here = text_of(report('work_dirs/photos/transformmix'))
    monkeypatch.chdir(tmp_path)
    there = text_of(report(in_project / 'work_dirs/photos/transformmix'))
    assert there.partition(' Stages ')[0] == here.partition(' Stages ')[0]
    # a config of another folder is not run
    assert 'is not compared with its base: a config is a program, and ' in there
    assert f'lies outside of {tmp_path} or comes with the work dir; if you trust it' in there


def test_several_runs_side_by_side(in_project, report):
    text = text_of(report('work_dirs/photos/cutmix', 'work_dirs/photos/transformmix'))
    assert 'Differences from cutmix transformmix' in text
    assert 'on the same 18 test images' in text and 'McNemar’s exact test' in text
    assert 'They do not cover seeds' in text
    assert 'No ECE is shown here for runs with fewer than 100 test images' in text
    assert 'model.train_cfg.augments CutMix(alpha=1.0) TransformMix(' in text


def test_no_network_is_run_on_demand(in_project, report):
    (in_project / 'work_dirs/photos/teacher/predictions.npz').unlink(missing_ok=True)
    text = text_of(report('work_dirs/photos/teacher', '--no-predict'))
    assert 'There are no predictions of last.pth, and --no-predict was given.' in text
    assert not (in_project / 'work_dirs/photos/teacher/predictions.npz').exists()
    assert (
        'configs/photos/teacher.py is not compared with its base: a config is a program, and '
        '--no-predict runs none.'
    ) in text


def test_missing_images_and_a_changed_config_are_named(in_project, report, tmp_path, monkeypatch):
    copy = tmp_path / 'project'
    shutil.copytree(in_project, copy)
    monkeypatch.chdir(copy)
    (copy / 'work_dirs/photos/cutmix/predictions.npz').unlink(missing_ok=True)
    shutil.rmtree(copy / 'photos')
    with open(copy / 'configs/photos/teacher.py', 'a') as config:
        config.write('optim_wrapper.update(clip_grad=dict(max_norm=1.0))\n')
    text = text_of(report(copy / 'work_dirs/photos/cutmix'))
    assert 'There are no predictions: ' in text and 'photos' in text
    assert 'was changed since: a run of today would have the digest' in text
    shutil.rmtree(copy / 'configs')
    text = text_of(report(copy / 'work_dirs/photos/cutmix'))
    assert 'configs/photos/cutmix.py is not compared with its base: it cannot be read' in text


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['work_dirs/photos'], 'give one or several of work_dirs/photos/cutmix, '),
        (['nowhere'], "WORK_DIR 'nowhere' does not exist"),
        (['configs'], "WORK_DIR 'configs' holds nothing of a run; give the folder of a run"),
        (['work_dirs/photos/cutmix/run.json'], "is a file; give the work dir that holds it"),
        (['work_dirs/photos/cutmix', './work_dirs/photos/cutmix'], 'give each work dir once'),
        (['work_dirs/photos/cutmix', '--out', 'x.pdf'], '--out must end in .html'),
    ],
)  # fmt: skip
def test_wrong_arguments_end_in_one_line(in_project, words, said, capfd):
    assert run('report', words, 'mmtmix report') == 2
    error = capfd.readouterr().err.strip()
    assert said in error and len(error.splitlines()) == 1


def test_the_page_lies_in_the_work_dir_or_here(in_project):
    assert call('report', ['work_dirs/photos/cutmix']).is_file()
    assert (in_project / 'work_dirs/photos/cutmix/report.html').is_file()
    call('report', ['work_dirs/photos/cutmix', 'work_dirs/photos/teacher', '--no-predict'])
    assert (in_project / 'report.html').is_file()
