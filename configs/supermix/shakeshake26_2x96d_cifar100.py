# SuperMix Table 1, CIFAR-100, Shake-Shake 26 2x96d, "SuperMix": 85.5 top-1. 1 GPU x 128.
# Three stages, see `requires`: Shake-Shake 26 2x96d on clean images is the teacher, which mixes
# 500,000 images; then the same network is trained from scratch on both. That takes as many
# iterations as on clean images alone, up to half an epoch: 164 epochs of both for 1800.
# Ours, since section 4.1 doesn't say it: mixed images have the class that the teacher sees most
# of, as in the distillation and the public code, whose images are kept without a label; they are
# cropped as the clean ones are. Recipe: see schedules/shakeshake_1800e.py.
_base_ = '../simple/shakeshake26_2x96d_cifar100.py'

from mmtmix.utils import scale_epochs

mixed = 'work_dirs/supermix/generate_shakeshake26_2x96d_cifar100_self'
requires = [
    dict(
        config='configs/supermix/generate_shakeshake26_2x96d_cifar100_self.py',
        produces=f'{mixed}/dataset.json',
    )
]

num_clean, num_mixed = 50_000, 500_000
epochs = scale_epochs(_base_.train_cfg.max_epochs, num_clean, num_clean + num_mixed)

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            _base_.train_dataloader.dataset,
            dict(type='MixedImages', data_root=mixed, pipeline=_base_.train_pipeline),
        ],
    )
)
param_scheduler = dict(T_max=epochs)
train_cfg = dict(max_epochs=epochs)
