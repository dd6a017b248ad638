# SuperMix Tables 2, 3 and 5, "CRD": contrastive representation distillation. Printed: WRN-40-2 to
# WRN-16-2, the default, 75.48; ImageNet 71.17 / 90.13; all in README.md. 1 GPU x 64 (ImageNet:
# 256).
_base_ = 'pairs/{{$PAIR:wrn40_2_wrn16_2}}.py'
work_dir = f'work_dirs/distill/crd/{_base_.pair}'
requires = [_base_.teacher_run]
custom_hooks = [dict(type='DistillHook', preset='crd', teacher=_base_.teacher)]
