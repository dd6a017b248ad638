"""MMPretrain finds the models of this library by their names, and reads the index lazily."""

import time
from pathlib import Path

import mmpretrain
import pytest
import torch
from mmpretrain.apis.model import ModelHub

from mmtmix.models import WideResNet
from mmtmix.utils import load_checkpoint

pytestmark = pytest.mark.host

NAME = 'simple_wrn40_2_cifar100'


@pytest.fixture(scope='module')
def names():
    return mmpretrain.list_models()


def test_models_of_both_libraries_are_listed(names):
    assert 'resnet50_8xb32_in1k' in names
    assert {NAME, 'transformmix_wrn28_cifar100'} <= set(names)
    assert mmpretrain.list_models('transformmix_*') == sorted(
        name for name in names if name.startswith('transformmix_')
    )


def test_every_listed_config_exists(names):
    own = [model for model in ModelHub._models_dict.values() if '/mmtmix/.mim/' in model.filepath]
    assert len(own) > 50
    for model in own:
        assert Path(model.config).is_file(), model.name


@pytest.mark.parametrize('name', [NAME, 'transformmix_resnet18_cifar10'])
def test_a_model_is_built_by_its_name(names, name):
    model = mmpretrain.get_model(name)
    assert model.head.num_classes == (100 if name == NAME else 10)
    assert isinstance(model.backbone, WideResNet) == (name == NAME)
    assert model(torch.zeros(1, 3, 32, 32)).shape[0] == 1


@pytest.mark.parametrize('name', ['simple_wrn16_fashionmnist32', 'simple_wrn10_fashionmnist_demo'])
def test_a_model_with_weights_comes_with_them(names, name):
    assert name in names
    metainfo = ModelHub.get(name)
    assert metainfo.weights == f'mmtmix://{name.removeprefix("simple_")}'
    model = mmpretrain.get_model(name, pretrained=True)
    wanted = load_checkpoint(metainfo.weights)['state_dict']
    assert all(torch.equal(value, wanted[key]) for key, value in model.state_dict().items())
    assert model._dataset_meta['classes'][0] == 'T-shirt/top'
    # as mim's table of models reads them
    (result,) = metainfo.results
    assert result.metrics['Top 1 Accuracy'] > 70


def test_the_index_is_read_once(names):
    before = time.perf_counter()
    ModelHub.get(NAME)
    mmpretrain.list_models()
    assert time.perf_counter() - before < 2
    assert ModelHub.has(NAME)
