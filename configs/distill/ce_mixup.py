# SuperMix Tables 2, 3 and 5, CE with MixUp: the average of two images, classified as the teacher
# does. Printed: WRN-40-2 to WRN-16-2, the default, 76.20; ImageNet 73.03 / 91.27; all in
# README.md. 1 GPU x 128 clean + 128 mixed (ImageNet: 256 + 256).
# Ours: each clean batch is mixed, after its crops; the paper generated a set of such images
# beforehand.
_base_ = '../_base_/default_runtime.py'

from mmtmix.recipes import distill, pair_variant, student_of, teacher_of

pair = pair_variant()
teacher = teacher_of(pair)
requires = [teacher]
globals().update(student_of(pair, mixed=True))
custom_hooks = [distill('ce_mixed', teacher, augment=dict(type='SampleMixup', alpha=1e4))]
