# SuperMix offline, second part: training on clean and mixed images, section 4.1. The mixed ones
# have the class that the teacher sees most of; training takes as many iterations as on clean
# images alone, to half an epoch.
_base_ = '../simple/wrn16_fashionmnist_mini.py'

from mmtmix.utils import scale_epochs

generate = 'configs/supermix/generate_wrn16_fashionmnist_mini.py'
mixed = 'work_dirs/supermix/generate_wrn16_fashionmnist_mini'
requires = [dict(config=generate, produces=f'{mixed}/dataset.json')]

num_clean, num_mixed = 5000, 5000
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
param_scheduler = dict(total_steps=epochs)
train_cfg = dict(max_epochs=epochs, val_interval=scale_epochs(5, num_clean, num_clean + num_mixed))
