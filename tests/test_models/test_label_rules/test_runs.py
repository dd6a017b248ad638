"""Runs with label rules, through MMEngine's Runner and the ordinary loader."""

import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.hooks import Hook

from mmtmix.models.mix_watch import watching_mixes

pytestmark = pytest.mark.host


class AddMask(BaseTransform):
    """Takes bright pixels for the object, after flips and crops."""

    def transform(self, results):
        results['gt_mask'] = (results['img'] > 60).astype('uint8').squeeze()
        return results


class Watch(Hook):
    """Collects the mixes of a run."""

    priority = 'LOWEST'  # MixVisualizationHook removes earlier watchers

    def __init__(self):
        self.made = []

    def before_train(self, runner):
        self.watching = watching_mixes(self.made.append)
        self.watching.__enter__()

    def after_train(self, runner):
        self.watching.__exit__(None, None, None)


def augments():
    seeing = dict(type='VisibleLabels', saliency='TrueMasks', per_image=False)
    live = dict(type='VisibleLabels', saliency=dict(type='OtherImages', source='InputGradient'))
    return [
        dict(type='SampleCutMix', labels=seeing, places='clipped'),
        dict(type='ObjectPaste', saliency='TrueMasks', shape='mask', labels='visible'),
        dict(type='FMix', labels=live),
    ]


def test_labels_of_a_run_follow_its_masks_and_its_network(method_runner):
    watch = Watch()
    runner = method_runner(
        'cutmix',
        epochs=2,
        hooks=(watch,),
        **{
            'model.train_cfg': dict(
                augments=dict(type='ChooseAugment', augments=augments(), probs=[0.4, 0.3, 0.3]),
                _delete_=True,
            ),
            'custom_hooks': [dict(type='LiveModelHook')],
            'train_dataloader.dataset.pipeline': [
                dict(type=AddMask),
                dict(type='PackInputs', meta_keys=('gt_mask',)),
            ],
        },
    )
    runner.train()
    assert len(watch.made) == 4
    assert all(value.isfinite().all() for value in runner.model.parameters())
    seen = 0
    for mix in watch.made:
        pixels = mix.images * runner.model.data_preprocessor.std
        masks = pixels + runner.model.data_preprocessor.mean > 60.5
        for m in (mix.details['choice'] == 0).nonzero()[:, 0].tolist():
            row = mix.details['index'][m]
            counts = (mix.details['masks'][m] * masks[row]).sum(dim=(1, 2, 3))
            label = (counts / counts.sum()) @ mix.scores[row].float()
            torch.testing.assert_close(mix.targets[m], label)
            seen += 1
    assert seen >= 4
