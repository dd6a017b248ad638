# SuperMix Tables 2, 3 and 5, "KD": Hinton's distillation. Printed: WRN-40-2 to WRN-16-2, the
# default, 74.92; ImageNet 70.66 / 89.88; all in README.md. 1 GPU x 64 (ImageNet: 256).
_base_ = 'pairs/{{$PAIR:wrn40_2_wrn16_2}}.py'
work_dir = f'work_dirs/distill/kd/{_base_.pair}'
requires = [_base_.teacher_run]
custom_hooks = [dict(type='DistillHook', preset='kd', teacher=_base_.teacher)]
