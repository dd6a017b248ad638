"""Cards of shipped weights are true, and the command shows them."""

import json
import re

import pytest

from mmtmix.apps.weights.cards import card_text, read_card, read_cards
from mmtmix.cli.main import call, run
from mmtmix.engine.digest import run_digest
from mmtmix.engine.stages import plan_stages
from mmtmix.models.mixers import load_mixer
from mmtmix.utils import file_digest, load_checkpoint, load_config, shipped, shipped_names

CARDS = [read_card(name) for name in shipped_names()]
EACH = pytest.mark.parametrize('card', CARDS, ids=[card['name'] for card in CARDS])
MODULES = [card for card in CARDS if 'k' in card]
MODULE = pytest.mark.parametrize('card', MODULES, ids=[card['name'] for card in MODULES])


SITE = 'https://mmtmix.github.io/mmtmix/'


def file_of(card):
    return shipped.FOLDER / f'{card["name"]}.pth'


def test_each_file_has_a_card_and_a_log_and_all_are_small():
    names = {path.name for path in shipped.FOLDER.iterdir()}
    wanted = {f'{name}.{end}' for name in shipped_names() for end in ('pth', 'yaml', 'jsonl')}
    assert names == wanted
    assert sum(path.stat().st_size for path in shipped.FOLDER.iterdir()) < 2_000_000


@EACH
def test_a_card_is_of_its_file_and_of_a_config_of_today(card):
    assert card['bytes'] == file_of(card).stat().st_size
    assert card['sha256'] == file_digest(file_of(card), 64)
    cfg = load_config(card['config'])
    assert card['run']['digest'] == run_digest(plan_stages(card['config'], cfg))
    assert card['command'] == f'mmtmix train mmtmix::{card["config"].removeprefix("configs/")}'
    assert (card['data']['licence'], card['limits'][:7]) == ('MIT', 'Limits:')


@EACH
def test_a_log_is_of_the_whole_run(card):
    lines = (shipped.FOLDER / f'{card["name"]}.jsonl').read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    # one line per 100 steps, and that of the last validation
    assert 0 <= card['run']['steps'] - max(step.get('iter', 0) for step in steps) < 100
    assert any('mix/cutmix/ce' in step or 'accuracy/top1' in step for step in steps[-2:])


@EACH
def test_no_file_names_the_machine_it_was_made_on(card):
    content = load_checkpoint(file_of(card))
    texts = [str({key: value for key, value in content.items() if key != 'state_dict'})]
    texts += [(shipped.FOLDER / f'{card["name"]}.{end}').read_text() for end in ('yaml', 'jsonl')]
    for text in texts:
        text = text.replace(SITE, '')
        assert not re.search(r'(?<![\w.:/])/(home|work|root|tmp|usr|mnt)\b|https?://', text)


@MODULE
def test_a_module_is_what_its_card_says_and_was_searched_with_the_shipped_teacher(card):
    assert load_mixer(file_of(card)).num_mix == card['k']
    teacher = card['teacher']
    assert file_digest(shipped.FOLDER / f'{teacher["name"]}.pth', 64) == teacher['sha256']
    assert load_config(card['config']).model.teacher.checkpoint == f'mmtmix://{teacher["name"]}'
    assert f'{SITE}latest/evidence/' in card['limits']


@MODULE
def test_a_module_is_worth_shipping(card):
    (held_out,), (digits, photos) = card['quality'], card['transfer']
    for measured in (held_out, digits, photos):
        # an even blend keeps the k-th part of each image, whatever is in it
        assert measured['mixup']['kept_saliency'] == pytest.approx(100 / card['k'], abs=0.01)
        mean, low, high = measured['ce_minus_cutmix']
        assert low < mean < high
        difference = measured['transformmix']['ce'] - measured['cutmix']['ce']
        assert mean == pytest.approx(difference, abs=2e-4)
    own, cutmix, mixup = (held_out[name] for name in ('transformmix', 'cutmix', 'mixup'))
    assert held_out['images'] == 10000
    assert own['ce'] < min(cutmix['ce'], mixup['ce'])
    assert own['kept_saliency'] > max(cutmix['kept_saliency'], mixup['kept_saliency'])


@pytest.mark.host
def test_the_command_lists_all_and_shows_one(capfd):
    call('weights', [])
    said = capfd.readouterr().out
    for card in CARDS:
        assert re.search(rf'^mmtmix://{card["name"]} .*{card["data"]["name"]}', said, re.MULTILINE)
    assert read_cards()[0]['k'] == 2
    for name in ('fashionmnist_k3', 'mmtmix://fashionmnist_k3'):
        assert call('weights', [name]) == card_text(read_card('fashionmnist_k3'))
    said = capfd.readouterr().out
    assert 'Held-out images' in said
    assert 'configs/' not in said.partition('Made by')[2].partition('\n')[0]
    assert run('weights', ['fashionmnist'], 'mmtmix weights') == 2
    assert "did you mean 'mmtmix://fashionmnist_k" in capfd.readouterr().err
