"""One evaluation by all suites: its figures, its file, its row, and what it refuses."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import DATASETS, MODELS

from mmtmix.apps.evaluate import corruptions
from mmtmix.apps.evaluate.command import default_out
from mmtmix.apps.evaluate.names import arguments
from mmtmix.apps.evaluate.occlusion import ORDERS
from mmtmix.apps.evaluate.results import describe, stored_settings
from mmtmix.apps.evaluate.suites import SUITES
from mmtmix.cli import evaluate as cli
from mmtmix.cli import main
from mmtmix.datasets.transforms.corrupt import corrupt
from mmtmix.evaluation.calibration import few_images_note
from mmtmix.evaluation.image_loader import balanced_indices
from mmtmix.evaluation.pixels import PixelSpace
from mmtmix.utils import AUTO, DTYPES, file_digest

from .conftest import KINDS, WORDS, evaluate, write_config

pytestmark = pytest.mark.host


def test_the_command_offers_the_suites_of_the_table():
    assert tuple(SUITES) == cli.SUITES
    assert ORDERS == cli.ORDERS
    assert {AUTO, *DTYPES} == set(cli.DTYPES)


def test_the_file_holds_what_was_measured_and_how(everything, fitted_teacher):
    found, out = everything
    assert found['checkpoint_sha256'] == file_digest(fitted_teacher['checkpoint'], 64)
    assert (found['images'], found['classes'], found['seed']) == (16, 10, 0)
    assert found['suites'].keys() == SUITES.keys()
    for name, suite in found['suites'].items():
        assert suite['figures'].keys() == suite['units'].keys() and suite['figures'], name
        assert {'torch', 'mmpretrain', 'mmtmix'} <= suite['versions'].keys()
        assert suite['seconds'] >= 0
    assert found['suites']['corruptions']['settings']['kinds'] == list(KINDS)
    assert 'not with published ones' in found['suites']['corruptions']['notes'][0]
    assert found['suites']['calibration']['units']['nll'] == 'nats'
    assert 'partial' not in found
    names = {path.name for path in (out.parent / 'pictures').iterdir()}
    assert {'reliability.png', 'reliability.svg', 'corruptions.png', 'fgsm.png'} <= names
    assert {'pgd.png', 'occlusion.png', 'occlusion_examples.png', 'cam.png'} <= names


def by_hand(config, fitted_teacher, change=lambda image, number: image):
    """Predictions for the 16 images, after a change of the uint8 image."""
    cfg = Config.fromfile(config)
    model = MODELS.build(dict(cfg.model, _scope_='mmpretrain')).eval()
    model.load_state_dict(torch.load(fitted_teacher['checkpoint'])['state_dict'])
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset, _scope_='mmpretrain'))
    chosen = balanced_indices(np.array(dataset.get_gt_labels()), 16, seed=0)
    items = [dataset[int(number)] for number in chosen]
    images = [
        change(item['inputs'].permute(1, 2, 0).numpy(), number)
        for item, number in zip(items, chosen, strict=True)
    ]
    stats = cfg.data_preprocessor
    inputs = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        scores = model((inputs - stats.mean[0]) / stats.std[0], mode='tensor').softmax(dim=1)
    return scores.numpy(), np.array([int(item['data_samples'].gt_label) for item in items])


def test_clean_figures_agree_and_are_those_of_the_network(everything, config, fitted_teacher):
    suites = everything[0]['suites']
    scores, labels = by_hand(config, fitted_teacher)
    error = 100 * np.mean(scores.argmax(1) != labels)
    assert suites['fgsm']['figures']['clean_error'] == pytest.approx(error)
    assert suites['corruptions']['figures']['clean_error'] == pytest.approx(error)
    assert suites['occlusion']['figures']['clean'] == pytest.approx(100 - error)
    assert suites['calibration']['figures']['accuracy'] == pytest.approx(100 - error)
    assert suites['calibration']['figures']['confidence'] == pytest.approx(
        100 * scores.max(1).mean(), abs=1e-3
    )


def test_errors_under_corruption_are_those_of_the_images_by_hand(
    everything, config, fitted_teacher
):
    def pixelate(image, number):
        entropy = (0, int(number), corruptions.KINDS.index('pixelate'), 5)
        return corrupt(
            image, 'pixelate', 5, int(np.random.SeedSequence(entropy).generate_state(1)[0])
        )

    scores, labels = by_hand(config, fitted_teacher, pixelate)
    suite = everything[0]['suites']['corruptions']
    wanted = 100 * np.mean(scores.argmax(1) != labels)
    assert suite['details']['errors']['pixelate']['5'] == pytest.approx(wanted)
    errors = [value for kind in KINDS for value in suite['details']['errors'][kind].values()]
    assert suite['figures']['mean_error'] == pytest.approx(np.mean(errors), abs=1e-4)


def test_attacks_raise_the_error_with_the_distance(fitted_teacher, tmp_path):
    # the network is right for enough of the images as they are that no step saturates
    plain = {'test_dataloader.dataset.pipeline': [dict(type='PackInputs')]}
    config, out = write_config(fitted_teacher, tmp_path, **plain), str(tmp_path / 'a.json')
    words = ['--suite', 'fgsm', 'pgd', '--eps', '1', '4', '--device', 'cpu', '--out', out]
    found = evaluate(config, fitted_teacher['checkpoint'], *words)
    for name in ('fgsm', 'pgd'):
        figures = found['suites'][name]['figures']
        assert figures['clean_error'] < figures['error_1'] < figures['error_4'], name


def test_the_cam_suite_has_the_boxes_of_placed_objects(everything):
    suite = everything[0]['suites']['cam']
    assert suite['figures']['box_area'] == pytest.approx(100 * 20 * 20 / 28**2, abs=1e-3)
    assert suite['details']['images'] == 16 and suite['details']['without_box'] == 0
    assert 0 <= suite['figures']['box_iou'] <= 100


def test_the_row_has_the_figures_and_the_notes(everything):
    found, _ = everything
    table, *notes = describe(found, list(SUITES)).split('\n\n')
    head, rule, row = (line.split('|')[1:-1] for line in table.splitlines())
    assert len(head) == len(rule) == len(row)
    cells = dict(zip((cell.strip() for cell in head), (c.strip() for c in row), strict=True))
    ece = found['suites']['calibration']['figures']['ece']
    assert cells['ECE %'] == f'{ece:.2f}' and 'FGSM 8/255: error %' in cells
    assert any('published' in note for note in notes)
    few = 'calibration: The ECE of 16 test images in 15 bins is mostly chance'
    assert notes[0].startswith(few) and few_images_note(99) and not few_images_note(100)


def test_the_same_command_measures_nothing_again(
    everything, config, fitted_teacher, monkeypatch, capsys
):
    found, out = everything
    words = ['--suite', *SUITES, '--out', str(out), *WORDS]
    for name, suite in SUITES.items():
        monkeypatch.setitem(SUITES, name, suite._replace(run=None))
    evaluate(config, fitted_teacher['checkpoint'], *words)
    captured = capsys.readouterr()
    assert captured.err.count('already') == len(SUITES)
    assert captured.out.startswith('| model | images | top-1 %')
    assert json.loads(out.read_text())['suites'] == found['suites']


def test_a_stop_keeps_what_is_finished(config, fitted_teacher, tmp_path, monkeypatch):
    out = tmp_path / 'results.json'
    words = ['--suite', 'calibration', 'corruptions', '--out', str(out), *WORDS]
    measure, calls = corruptions.predict_loader, []

    def stop(*args):
        calls.append(args)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return measure(*args)

    monkeypatch.setattr(corruptions, 'predict_loader', stop)
    with pytest.raises(KeyboardInterrupt, match='finished suites are in .*to go on: '):
        evaluate(config, fitted_teacher['checkpoint'], *words)
    stopped = json.loads(out.read_text())
    assert list(stopped['suites']) == ['calibration']
    assert len(stopped['partial']['corruptions']['details']['errors']['gaussian_noise']) == 2
    calls.clear()
    monkeypatch.setattr(corruptions, 'predict_loader', lambda *a: calls.append(a) or measure(*a))
    results = evaluate(config, fitted_teacher['checkpoint'], *words)
    assert len(calls) == 1
    assert 'partial' not in json.loads(out.read_text())
    assert len(results['suites']['corruptions']['details']['errors']['pixelate']) == 2


def test_a_baseline_gives_the_mce(everything, config, fitted_teacher, tmp_path):
    _, out = everything
    own = tmp_path / 'own.json'
    words = ['--suite', 'corruptions', '--out', str(own), *WORDS, '--baseline']
    found = evaluate(config, fitted_teacher['checkpoint'], *words, str(out))
    assert found['suites']['corruptions']['figures']['mce'] == pytest.approx(100)
    assert any('relative to' in note for note in found['suites']['corruptions']['notes'])
    with pytest.raises(ValueError, match='published ImageNet-C'):
        evaluate(config, fitted_teacher['checkpoint'], *words, 'alexnet')
    with pytest.raises(FileNotFoundError, match='does not exist'):
        evaluate(config, fitted_teacher['checkpoint'], *words, 'nowhere.json')


def test_results_of_other_images_are_not_mixed(everything, config, fitted_teacher):
    words = ['--suite', 'calibration', '--out', str(everything[1]), '--device', 'cpu']
    with pytest.raises(ValueError, match='of another evaluation: .*num_images 16 and not None'):
        evaluate(config, fitted_teacher['checkpoint'], *words)


def test_results_of_another_normalisation_are_not_mixed(everything, config, fitted_teacher):
    words = ['--suite', 'calibration', '--out', str(everything[1]), *WORDS]
    words += ['--cfg-options', 'data_preprocessor.mean=[0.0]', 'data_preprocessor.std=[1.0]']
    with pytest.raises(ValueError, match='of another evaluation: network '):
        evaluate(config, fitted_teacher['checkpoint'], *words)


def test_boxes_count_by_their_content(tmp_path):
    def settings(boxes):
        (tmp_path / 'a.json').write_text(json.dumps(boxes))
        chosen = SUITES['cam'].settings(arguments(boxes=str(tmp_path / 'a.json')))
        return stored_settings(chosen)

    first = settings({'0': [1, 2, 3, 4]})
    assert settings({'0': [1, 2, 3, 5]}) != first == settings({'0': [1, 2, 3, 4]})


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--suite', 'cam'], 'give --boxes|Give --boxes'),
        (['--suite', 'corruptions', '--kinds', 'fogg'], "did you mean 'fog'"),
        (['--suite', 'fgsm', '--eps', '300'], '--eps .*units of 0 to 255'),
        (['--suite', 'occlusion', '--shares', '2'], '--shares'),
        (['--suite', 'calibration', '--num-bins', '0'], '--num-bins'),
        (['--suite', 'calibration', '--out', 'a.txt'], '--out must end in .json'),
        (['--suite', 'calibration', '--num-images', '0'], '--num-images'),
    ],
)
def test_mistakes_are_found_before_the_checkpoint_is_read(
    fitted_teacher, tmp_path, words, message
):
    plain = [dict(type='PackInputs')]
    changes = {'test_dataloader.dataset.pipeline': plain}
    config = write_config(fitted_teacher, tmp_path, **changes)
    with pytest.raises(ValueError, match=message):
        evaluate(config, str(tmp_path / 'nowhere.pth'), *words)


def test_an_unknown_suite_ends_the_parser(capsys):
    with pytest.raises(SystemExit) as ended:
        main.parse('evaluate', ['a.py', 'b.pth', '--suite', 'fog'])
    assert ended.value.code == 2 and 'calibration' in capsys.readouterr().err


def test_a_file_of_results_lies_beside_its_checkpoint():
    assert str(default_out('a/b/last.pth')) == 'a/b/last.evaluation.json'
    assert str(default_out('https://x.y/z/net-12345678.pth?a=b')) == 'net-12345678.evaluation.json'
    assert str(default_out('mmtmix://wrn16')) == 'wrn16.evaluation.json'


@pytest.mark.parametrize(
    ('checkpoint', 'name'),
    [
        ('work_dirs/a/last.pth', 'a/last.pth'),
        ('last.pth', 'last.pth'),
        ('mmtmix://wrn16', 'mmtmix://wrn16'),
        ('https://x.y/z/net-12345678.pth?a=b', 'z/net-12345678.pth'),
    ],
)
def test_a_row_names_its_checkpoint(checkpoint, name):
    row = describe(dict(checkpoint=checkpoint, images=3, suites={}), []).splitlines()[-1]
    assert row == f'| {name} | 3 |'


@pytest.mark.parametrize(('low', 'high'), [(0.0, 1.0), (-3.0, 3.0), (0.0, 400.0)])
def test_images_that_are_no_pixels_are_refused(low, high):
    with pytest.raises(ValueError, match='units of pixels from 0 to 255'):
        PixelSpace.check(None, torch.tensor([low, high]))
