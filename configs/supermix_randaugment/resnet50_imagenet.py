# SuperMix Table 1, ImageNet, ResNet-50, "SuperMix + RA": 78.2 / 94.0 top-1 / top-5. 8 GPUs x 32,
# with train_dataloader.batch_size=32 (1 GPU x 256 as it stands).
# Three stages, see `requires`: ResNet-50 on clean images is the teacher, which mixes 1,000,000
# images; then the same network is trained from scratch on both. That takes as many iterations as
# on clean images alone, up to half an epoch: 152 epochs of both for 270. RandAugment comes after
# the mix, on clean and mixed images alike.
# Ours, since section 4.1 doesn't say it: mixed images have the class that the teacher sees most
# of, as in the distillation and the public code, whose images are kept without a label; they are
# cropped as the clean ones are. RandAugment's settings: see randaugment/resnet50_imagenet.py.
_base_ = '../randaugment/resnet50_imagenet.py'

from mmtmix.utils import scale_epochs

mixed = 'work_dirs/supermix/generate_resnet50_imagenet_self'
requires = [
    dict(
        config='configs/supermix/generate_resnet50_imagenet_self.py',
        produces=f'{mixed}/dataset.json',
    )
]

num_clean, num_mixed = 1_281_167, 1_000_000
epochs = scale_epochs(_base_.train_cfg.max_epochs, num_clean, num_clean + num_mixed)

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            _base_.train_dataloader.dataset,
            # those of the set are loaded
            dict(type='MixedImages', data_root=mixed, pipeline=_base_.train_pipeline[1:]),
        ],
    )
)
param_scheduler = dict(
    milestones=scale_epochs(_base_.param_scheduler.milestones, num_clean, num_clean + num_mixed)
)
train_cfg = dict(max_epochs=epochs)
