# CRD and Hinton's distillation together, as in CRD's paper; SuperMix's tables have no row of it.
# 1 GPU x 64 (ImageNet: 256).
_base_ = '../_base_/default_runtime.py'

from mmtmix.recipes import distill, pair_variant, student_of, teacher_of

pair = pair_variant()
teacher = teacher_of(pair)
requires = [teacher]
globals().update(student_of(pair))
custom_hooks = [distill('crd_kd', teacher)]
