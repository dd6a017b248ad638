# SuperMix offline in the grid of docs/evidence.md, second part: training on the clean images and
# `KAPPA` mixed ones for each (up to 5, the default), for as many steps as on clean images alone.
# `LABELS` are those of the mixed images: of both classes by their weights (mixed, the default),
# the class that the teacher sees most of (hard_teacher), or its probabilities (soft_teacher).
_base_ = '../simple/grid_fashionmnist.py'
import os

from mmtmix.recipes import stage, variant

kappa = variant('KAPPA', 5, 1, 2, 3, 4)
labels = variant('LABELS', 'mixed', 'hard_teacher', 'soft_teacher')
mixed = stage(
    'configs/supermix/generate_grid_fashionmnist.py', 'dataset.json', STEPS=1560, CLEAN=0
)
requires = [mixed]

pipeline = list(_base_.train_pipeline)
# mixed images are of placed ones
mixed_pipeline = [step for step in pipeline if step['type'] != 'PlaceOnCanvas']
clean = dict(_base_.train_dataloader.dataset)
if labels != 'hard_teacher':
    clean['pipeline'] = [*pipeline[:-1], dict(type='OneHotScore', num_classes=10), pipeline[-1]]
train_dataloader = dict(
    # each epoch takes as many steps as one of the clean images
    sampler=dict(_delete_=True, type='EndlessSampler', epoch_size=_base_.num_images // 64 * 64),
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            clean,
            dict(
                type='MixedImages',
                data_root=os.path.dirname(mixed['produces']),
                labels=labels,
                indices=kappa * _base_.num_images,
                pipeline=mixed_pipeline,
            ),
        ],
    ),
)
