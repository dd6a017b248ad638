# SuperMix Tables 2, 3 and 5, CE with SuperMix: images that were mixed with the pair's teacher
# beforehand, see `requires`. Printed: WRN-40-2 to WRN-16-2, the default, 76.93; ImageNet 73.42 /
# 91.51 (k = 2), 73.65 / 91.67 (k = 3); all in README.md. 1 GPU x 128 clean + 128 mixed (ImageNet:
# 256 + 256).
_base_ = 'pairs/{{$PAIR:wrn40_2_wrn16_2}}.py'
work_dir = f'work_dirs/distill/ce_supermix/{_base_.pair}'
requires = [_base_.teacher_run, _base_.mixed_run]
custom_hooks = [
    dict(
        type='DistillHook',
        preset='ce_mixed',
        teacher=_base_.teacher,
        mixed=dict(
            dataloader=dict(
                dataset=dict(
                    type='MixedImages', data_root=_base_.mixed_root, pipeline=_base_.mixed_pipeline
                )
            )
        ),
    )
]

optim_wrapper = _base_.mixed_recipe.optim_wrapper
param_scheduler = _base_.mixed_recipe.param_scheduler
train_cfg = _base_.mixed_recipe.train_cfg
train_dataloader = _base_.mixed_recipe.train_dataloader
auto_scale_lr = _base_.mixed_recipe.auto_scale_lr
