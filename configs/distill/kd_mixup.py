# SuperMix Tables 2, 3 and 5, KD with MixUp: the average of two images, classified as the teacher
# does. Printed: WRN-40-2 to WRN-16-2, the default, 76.58; ImageNet 73.29 / 91.44; all in
# README.md. 1 GPU x 128 clean + 128 mixed (ImageNet: 256 + 256).
# Ours: each clean batch is mixed, after its crops; the paper generated a set of such images
# beforehand.
_base_ = 'pairs/{{$PAIR:wrn40_2_wrn16_2}}.py'
work_dir = f'work_dirs/distill/kd_mixup/{_base_.pair}'
requires = [_base_.teacher_run]
custom_hooks = [
    dict(
        type='DistillHook',
        preset='kd_mixed',
        teacher=_base_.teacher,
        mixed=dict(augment=dict(type='SampleMixup', alpha=1e4)),
    )
]

optim_wrapper = _base_.mixed_recipe.optim_wrapper
param_scheduler = _base_.mixed_recipe.param_scheduler
train_cfg = _base_.mixed_recipe.train_cfg
train_dataloader = _base_.mixed_recipe.train_dataloader
auto_scale_lr = _base_.mixed_recipe.auto_scale_lr
