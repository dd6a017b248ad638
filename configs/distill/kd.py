# SuperMix Tables 2, 3 and 5, "KD": Hinton's distillation. Printed: WRN-40-2 to WRN-16-2, the
# default, 74.92; ImageNet 70.66 / 89.88; all in README.md. 1 GPU x 64 (ImageNet: 256).
_base_ = '../_base_/default_runtime.py'

from mmtmix.recipes import distill, pair_variant, student_of, teacher_of

pair = pair_variant()
teacher = teacher_of(pair)
requires = [teacher]
globals().update(student_of(pair))
custom_hooks = [distill('kd', teacher)]
