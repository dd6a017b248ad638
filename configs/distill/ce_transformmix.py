# Ours: TransformMix's images in SuperMix's CE distillation. TransformMix's Table 10 has KD alone,
# see kd_transformmix.py; WRN-40-2 to ShuffleNetV1 is the default here, too. 1 GPU x 128 clean +
# 128 mixed. For the pairs with a `mixer_run`; teacher and mixing module are made first, see
# `requires`.
# Each clean batch is mixed, after its crops; alpha 1.
_base_ = 'pairs/{{$PAIR:wrn40_2_shufflenetv1}}.py'
work_dir = f'work_dirs/distill/ce_transformmix/{_base_.pair}'
requires = [_base_.teacher_run, _base_.mixer_run]
custom_hooks = [
    dict(
        type='DistillHook',
        preset='ce_mixed',
        teacher=_base_.teacher,
        mixed=dict(
            augment=dict(
                type='TransformMix',
                mixer=_base_.mixer_run.produces,
                teacher=_base_.teacher,
                num_mix=2,
                alpha=1.0,
            )
        ),
    )
]

optim_wrapper = _base_.mixed_recipe.optim_wrapper
param_scheduler = _base_.mixed_recipe.param_scheduler
train_cfg = _base_.mixed_recipe.train_cfg
train_dataloader = _base_.mixed_recipe.train_dataloader
auto_scale_lr = _base_.mixed_recipe.auto_scale_lr
