"""Configs of this library by `mmtmix::`, on the command line, in `requires` and as a base."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmpretrain.registry import BATCH_AUGMENTS, MODELS

from mmtmix.engine.stages import plan_stages
from mmtmix.models import SampleMixup, WideResNet
from mmtmix.registry import REGISTRIES
from mmtmix.utils import config_paths, default_work_dir, load_config, resolve_config

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
NAME = 'simple/wrn16_fashionmnist_mini.py'


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_name_in_the_scope_is_ours_whatever_lies_here(tmp_path):
    own = tmp_path / 'configs' / NAME
    own.parent.mkdir(parents=True)
    own.write_text('a = 1\n')
    assert resolve_config(f'configs/{NAME}') == own
    assert resolve_config(f'mmtmix::{NAME}').samefile(ROOT / 'configs' / NAME)
    assert default_work_dir(f'mmtmix::{NAME}') == 'work_dirs/simple/wrn16_fashionmnist_mini'


def test_an_unknown_name_is_refused_with_the_places():
    with pytest.raises(FileNotFoundError, match=r"'mmtmix::a/b.py' was not found in any of .*mim"):
        load_config('mmtmix::a/b.py')


@pytest.mark.parametrize('is_found', [True, False])
def test_a_base_is_found_whether_or_not_the_host_finds_us(tmp_path, monkeypatch, is_found):
    if not is_found:
        monkeypatch.setattr(config_paths, '_is_found_by_host', lambda: False)
    original = Config._get_cfg_path
    text = f"_base_ = ['mmtmix::{NAME}']\nown = dict(_base_.model.backbone)\n"
    (tmp_path / 'child.py').write_text(text)
    cfg = load_config('child.py')
    assert Config._get_cfg_path is original
    expected = load_config(ROOT / 'configs' / NAME)
    assert cfg.pop('own') == expected.model.backbone
    assert cfg.to_dict() == expected.to_dict()


def test_the_links_of_a_checkout_and_the_scope_are_what_mmengine_looks_for():
    assert (Path(config_paths.__file__).parents[1] / '.mim/configs').samefile(ROOT / 'configs')
    assert isinstance(
        MODELS.build(dict(type='WideResNet', depth=10, widen_factor=1, _scope_='mmtmix')),
        WideResNet,
    )
    assert isinstance(BATCH_AUGMENTS.build(dict(type='mmtmix.SampleMixup')), SampleMixup)
    assert REGISTRIES['MODELS'].get('ResNet').__module__.startswith('mmpretrain')


def test_required_configs_are_found_in_the_scope(tmp_path):
    work_dir = default_work_dir(f'mmtmix::{NAME}')
    needed = dict(config=f'mmtmix::{NAME}', produces=f'{work_dir}/last.pth')
    stage, last = plan_stages('own.py', Config(dict(requires=[needed])))
    assert (stage.config, stage.cfg.work_dir) == (f'mmtmix::{NAME}', work_dir)
    assert f'mmtmix train mmtmix::{NAME} --work-dir {work_dir}' in stage.command
    assert last.config == 'own.py'


@pytest.mark.skipif(not config_paths._is_found_by_host(), reason='this MMEngine needs our tools')
def test_a_base_in_the_scope_works_wherever_mmtmix_was_imported(tmp_path):
    (tmp_path / 'child.py').write_text(f"_base_ = ['mmtmix::{NAME}']\n")
    cfg = Config.fromfile('child.py')
    assert cfg.model._scope_ == 'mmtmix'
    assert isinstance(MODELS.build(cfg.model).backbone, WideResNet)
