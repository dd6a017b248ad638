"""Pictures in the backends of MMEngine, with the real packages."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpretrain.visualization import UniversalVisualizer

from mmtmix.engine.mix_pictures import ImageBackends

pytestmark = pytest.mark.host

PICTURE = np.random.default_rng(0).integers(256, size=(40, 60, 3), dtype=np.uint8)


@pytest.fixture
def write(tmp_path):
    """Write a picture at two steps by some backends, into ``tmp_path``."""

    def run(*backends):
        visualizer = UniversalVisualizer(vis_backends=[*backends], save_dir=str(tmp_path / 'run'))
        images = ImageBackends(str(tmp_path / 'run' / 'vis_data'))
        for step in (3, 9):
            images.add_image(visualizer, 'mixes', PICTURE, step)
        assert not images._failed
        return visualizer

    return run


def local(folder):
    return sorted(file.name for file in (folder / 'run').glob('vis_data/vis_image/*.png'))


def test_tensorboard_gets_the_pictures(write, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write(dict(type='TensorboardVisBackend'), dict(type='LocalVisBackend')).close()
    (file,) = tmp_path.rglob('events.out.tfevents*')
    events = EventAccumulator(str(file), size_guidance=dict(images=0)).Reload().Images('mixes')
    assert [event.step for event in events] == [3, 9]
    shown = cv2.imdecode(np.frombuffer(events[0].encoded_image_string, np.uint8), 1)
    assert np.array_equal(shown[..., ::-1], PICTURE)
    assert local(tmp_path) == ['mixes_3.png', 'mixes_9.png']


def test_wandb_gets_the_pictures_offline(write, tmp_path, monkeypatch):
    pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    monkeypatch.setenv('WANDB_SILENT', 'true')
    write(dict(type='WandbVisBackend', init_kwargs=dict(project='mmtmix'))).close()
    found = [cv2.imread(str(file)) for file in tmp_path.rglob('media/images/mixes*.png')]
    assert len(found) == 2 and all(np.array_equal(one[..., ::-1], PICTURE) for one in found)
    # nobody listed the local backend
    assert local(tmp_path) == ['mixes_3.png', 'mixes_9.png']


def test_mlflow_gets_the_pictures_in_a_file_store(write, tmp_path, monkeypatch):
    mlflow = pytest.importorskip('mlflow')
    monkeypatch.setenv('MLFLOW_ALLOW_FILE_STORE', 'true')
    store = Path(tmp_path / 'store').as_uri()
    write(dict(type='MLflowVisBackend', tracking_uri=store, exp_name='mixes'))
    mlflow.end_run()
    found = {file.name: cv2.imread(str(file)) for file in tmp_path.rglob('artifacts/*.png')}
    assert sorted(found) == ['mixes_3.png', 'mixes_9.png']
    assert all(np.array_equal(one[..., ::-1], PICTURE) for one in found.values())
