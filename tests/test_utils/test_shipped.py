"""`mmtmix://NAME` is a file wherever weights are read; an unknown name is an error with a list."""

import re
import shutil

import pytest
import torch
from mmengine.runner import CheckpointLoader
from mmengine.runner import load_checkpoint as load_into

from mmtmix.apps.convert.source import read_source
from mmtmix.models.mixers import build_module, load_mixer
from mmtmix.models.teachers import FrozenTeacher
from mmtmix.models.teachers.loading import build_classifier
from mmtmix.utils import (
    UnsafeCheckpointError,
    file_digest,
    load_checkpoint,
    local_file,
    shipped,
    shipped_file,
    shipped_names,
)

pytestmark = pytest.mark.host

CLASSIFIER, CONFIG = 'mmtmix://wrn16_fashionmnist32', 'mmtmix::simple/wrn16_fashionmnist32.py'
MODULE = 'mmtmix://fashionmnist_k2'


def test_names_are_those_of_files():
    assert {'fashionmnist_k2', 'fashionmnist_k3'} < set(shipped_names())
    for name in shipped_names():
        assert shipped_file(f'mmtmix://{name}').is_file()
    assert local_file('~/x.pth').is_absolute()
    assert str(local_file('work_dirs/x.pth')) == 'work_dirs/x.pth'


READERS = {
    'checkpoint': load_checkpoint,
    'MMEngine': CheckpointLoader.load_checkpoint,
    'module': load_mixer,
    'augment': lambda name: build_module(name, 2),
    'teacher': lambda name: FrozenTeacher(CONFIG, name),
}


@pytest.mark.parametrize('reader', READERS)
def test_an_unknown_name_is_an_error_with_all_names(reader):
    with pytest.raises(ValueError, match='does not come with mmtmix') as caught:
        READERS[reader]('mmtmix://fashionmnist_k4')
    listed = re.findall(r'mmtmix://(\w+)', str(caught.value).partition('There are')[2])
    assert listed == shipped_names()
    assert "did you mean 'mmtmix://fashionmnist_k" in str(caught.value)
    assert 'train it first' not in str(caught.value)


def test_a_module_is_read_in_every_form_of_the_argument():
    own = load_mixer(MODULE)
    assert own.num_mix == 2
    for form in (MODULE, dict(type='TransformMixer', checkpoint=MODULE)):
        for key, value in build_module(form, 2).state_dict().items():
            assert torch.equal(value, own.state_dict()[key])
    with pytest.raises(ValueError, match='num_mix'):
        build_module(MODULE, 3)
    with pytest.raises(ValueError, match='no mixer file'):
        load_mixer(CLASSIFIER)


def test_mmengine_fills_a_model_as_a_teacher_does():
    model, _ = build_classifier(CONFIG)
    content = load_into(model, CLASSIFIER, map_location='cpu', strict=True)
    teacher = FrozenTeacher(CONFIG, CLASSIFIER)
    assert teacher.classes[0] == content['meta']['dataset_meta']['classes'][0] == 'T-shirt/top'
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(model(images), teacher.model(images))


def test_the_conversion_reads_them():
    state = read_source(CLASSIFIER)
    assert state.keys() == load_checkpoint(CLASSIFIER)['state_dict'].keys()


def test_they_are_data_alone(tmp_path, monkeypatch):
    class Code:
        def __reduce__(self):
            return print, ('ran',)

    monkeypatch.setattr(shipped, 'FOLDER', tmp_path)
    torch.save(dict(state_dict=dict(x=Code())), tmp_path / 'evil.pth')
    with pytest.raises(UnsafeCheckpointError):
        load_checkpoint('mmtmix://evil')


def test_no_name_leads_out_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, 'FOLDER', tmp_path / 'inner')
    (tmp_path / 'inner').mkdir()
    torch.save({}, tmp_path / 'outer.pth')
    with pytest.raises(ValueError, match='does not come with'):
        load_checkpoint('mmtmix://../outer')


def test_a_digest_is_that_of_the_bytes(tmp_path, monkeypatch):
    from mmtmix.engine.digest import run_digest
    from mmtmix.engine.stages import plan_stages
    from mmtmix.utils import load_config

    config = 'configs/simple/wrn10_fashionmnist_demo.py'

    def digest(**changes):
        cfg = load_config(config, changes)
        return run_digest(plan_stages(config, cfg))

    plain, loaded = digest(), digest(load_from='mmtmix://wrn10_fashionmnist_demo')
    assert plain != loaded
    shutil.copytree(shipped.FOLDER, tmp_path / 'weights')
    monkeypatch.setattr(shipped, 'FOLDER', tmp_path / 'weights')
    assert digest(load_from='mmtmix://wrn10_fashionmnist_demo') == loaded
    file = tmp_path / 'weights' / 'wrn10_fashionmnist_demo.pth'
    file.rename(file.with_name('renamed.pth'))
    assert digest(load_from='mmtmix://renamed') == loaded  # not of the name
    shutil.copy(file.with_name('fashionmnist_k2.pth'), file)
    assert file_digest(file) != file_digest(file.with_name('renamed.pth'))
    assert digest(load_from='mmtmix://wrn10_fashionmnist_demo') != loaded
    with pytest.raises(ValueError, match='does not come with'):
        digest(load_from='mmtmix://nothing')
