# Ours, to try the methods on a CPU: WRN-16-1 teaches WRN-10-1 on 5,000 images of Fashion-MNIST, in
# 15 epochs with and without mixed images. Not for ImgNet32, whose images are coloured.
_base_ = [
    '../../_base_/models/wrn16_fashionmnist.py',
    '../../_base_/datasets/fashionmnist_mini.py',
    '../../_base_/schedules/fashionmnist_mini_15e.py',
    '../../_base_/default_runtime.py',
]
model = dict(backbone=dict(depth=10))
auto_scale_lr = dict(base_batch_size=128)

mixed_pipeline = _base_.train_pipeline
mixed_recipe = dict(
    optim_wrapper=_base_.optim_wrapper,
    param_scheduler=_base_.param_scheduler,
    train_cfg=_base_.train_cfg,
    train_dataloader=dict(batch_size=128),
    auto_scale_lr=auto_scale_lr,
)

pair = 'wrn16_wrn10_fashionmnist_mini'
teacher = dict(
    config='configs/simple/wrn16_fashionmnist_mini.py',
    checkpoint='work_dirs/simple/wrn16_fashionmnist_mini/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_wrn16_fashionmnist_mini'
mixed_run = dict(
    config='configs/supermix/generate_wrn16_fashionmnist_mini.py',
    produces=f'{mixed_root}/dataset.json',
)
mixer_run = dict(
    config='configs/transformmix/search_wrn16_fashionmnist_mini.py',
    produces='work_dirs/transformmix/search_wrn16_fashionmnist_mini/mixer.pth',
)
