# CRD and Hinton's distillation together, as in CRD's paper; SuperMix's tables have no row of it.
# 1 GPU x 64 (ImageNet: 256).
_base_ = 'pairs/{{$PAIR:wrn40_2_wrn16_2}}.py'
work_dir = f'work_dirs/distill/crd_kd/{_base_.pair}'
requires = [_base_.teacher_run]
custom_hooks = [dict(type='DistillHook', preset='crd_kd', teacher=_base_.teacher)]
