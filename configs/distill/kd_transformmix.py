# TransformMix Table 10, "w/ Method": 76.76, WRN-40-2 to ShuffleNetV1, the default. 1 GPU x 128
# clean + 128 mixed. For the pairs whose teacher has a search of a mixing module.
# The paper only says that it follows SuperMix's experiment; ours: SuperMix's recipe and losses,
# each clean batch mixed, alpha 1.
_base_ = '../_base_/default_runtime.py'

from mmtmix.recipes import distill, pair_variant, search_of, student_of, teacher_of, transformmix

pair = pair_variant('searched')
teacher, search = teacher_of(pair), search_of(pair)
requires = [teacher, search]
globals().update(student_of(pair, mixed=True))
custom_hooks = [distill('kd_mixed', teacher, augment=transformmix(search, teacher))]
