# Distillation on mixes, on one bed: a WRN-10-1 learns from a WRN-16-1, that of
# simple/wrn16_fashionmnist_mini, on clean images and on mixes. `MIX` is none (the default),
# mixup, cutmix, cam, transformmix or supermix; `LABELS` of mixes is hard_teacher (the default) or
# mixed; KD compares on `KD_ON`: clean (the default), mixed or both. All are made in each step.
#     mmtmix train configs/distill/mixes_fashionmnist_mini.py --variant MIX=cam KD_ON=both
# A step with mixes has twice as many images as one without: compare the mixes with each other.
_base_ = '../simple/wrn16_fashionmnist_mini.py'

from mmtmix.recipes import distill, stage, supermix, teacher_from, transformmix, variant

mix = variant('MIX', 'none', 'mixup', 'cutmix', 'cam', 'transformmix', 'supermix')
labels = variant('LABELS', 'hard_teacher', 'mixed')
kd_on = variant('KD_ON', 'clean', 'mixed', 'both')

teacher = stage('configs/simple/wrn16_fashionmnist_mini.py', 'last.pth')
requires = [teacher]
augments = dict(
    mixup=dict(type='SampleMixup'),
    cutmix=dict(type='SampleCutMix'),
    cam=dict(type='CAMMix', teacher=teacher_from(teacher)),
    supermix=supermix(teacher),
)
if mix == 'transformmix':
    search = stage('configs/transformmix/search_wrn16_fashionmnist_mini.py', 'mixer.pth')
    requires += [search]
    augments[mix] = transformmix(search, teacher)

if mix == 'none':
    hook = distill('kd', teacher)
else:
    hook = distill('kd_mixed', teacher, augment=augments[mix])
    hook.update(mixed_cls=labels, kd_on=kd_on)
custom_hooks = [hook]
model = dict(backbone=dict(depth=10))
