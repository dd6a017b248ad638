# SuperMix Tables 2, 3 and 5, "Student": without a teacher. Printed: WRN-40-2 to WRN-16-2, the
# default, 73.26; ImageNet 69.75 / 89.07; all in README.md. 1 GPU x 64 (ImageNet: 256).
_base_ = '../_base_/default_runtime.py'

from mmtmix.recipes import pair_variant, student_of

pair = pair_variant()
globals().update(student_of(pair))
