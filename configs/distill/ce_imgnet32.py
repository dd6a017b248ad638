# SuperMix Tables 2 and 3, CE with ImgNet32: unlabelled images of ImageNet32, classified as the
# teacher does. Printed: WRN-40-2 to WRN-16-2, the default, 74.91; all in README.md. 1 GPU x 128
# clean + 128 of ImageNet32, which is in data/imagenet32; for the pairs on CIFAR-100.
# The warm-up is 5 epochs of ImageNet32, whose size the public code rounds down to 1,281,100:
# 50,045 iterations.
_base_ = '../_base_/default_runtime.py'

from mmtmix.recipes import distill, mixed_pipeline_of, pair_variant, student_of, teacher_of

pair = pair_variant('cifar100')
teacher = teacher_of(pair)
requires = [teacher]
# 10,009 batches per epoch
globals().update(student_of(pair, mixed=True, warm_up=5 * 10_009))
images = dict(
    type='ImageNet32',
    data_root='data/imagenet32',
    split='train',
    with_label=False,
    pipeline=mixed_pipeline_of(pair),
)
custom_hooks = [distill('ce_mixed', teacher, dataset=images)]
