# Ours: TransformMix's images in SuperMix's CE distillation. TransformMix's Table 10 has KD alone,
# see kd_transformmix.py; WRN-40-2 to ShuffleNetV1 is the default here, too. 1 GPU x 128 clean +
# 128 mixed. For the pairs whose teacher has a search of a mixing module.
# Each clean batch is mixed, after its crops; alpha 1.
_base_ = '../_base_/default_runtime.py'

from mmtmix.recipes import distill, pair_variant, search_of, student_of, teacher_of, transformmix

pair = pair_variant('searched')
teacher, search = teacher_of(pair), search_of(pair)
requires = [teacher, search]
globals().update(student_of(pair, mixed=True))
custom_hooks = [distill('ce_mixed', teacher, augment=transformmix(search, teacher))]
