# SuperMix Tables 2, 3 and 5, CE with SuperMix: images that were mixed with the pair's teacher
# beforehand, see `requires`. Printed: WRN-40-2 to WRN-16-2, the default, 76.93; ImageNet 73.42 /
# 91.51 (k = 2), 73.65 / 91.67 (k = 3); all in README.md. 1 GPU x 128 clean + 128 mixed (ImageNet:
# 256 + 256).
_base_ = '../_base_/default_runtime.py'

from mmtmix.recipes import distill, mixed_set_of, mixes_of, pair_variant, student_of, teacher_of

pair = pair_variant()
teacher = teacher_of(pair)
requires = [teacher, mixed_set_of(pair)]
globals().update(student_of(pair, mixed=True))
custom_hooks = [distill('ce_mixed', teacher, dataset=mixes_of(pair))]
