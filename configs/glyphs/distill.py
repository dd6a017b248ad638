# Distillation on mixes, on the bed: the network of simple.py learns from the teacher of teacher.py
# on clean images and on mixes, `MIX`: none (the default), mixup, cutmix, cammix, paste (of refined
# objects), transformmix or supermix. Labels of mixes are `LABELS`, and KD compares on `KD_ON`.
# Each step with mixes trains on 50 clean and 50 mixed images, so it has twice the images of a step
# of `MIX=none`, and about twice the time: compare the mixes with each other.
_base_ = './simple.py'
from mmtmix.recipes import distill, named_saliency, stage, supermix, transformmix, variant

mix = variant('MIX', 'none', 'mixup', 'cutmix', 'cammix', 'paste', 'transformmix', 'supermix')
labels = variant('LABELS', 'mixed', 'hard_teacher')
kd_on = variant('KD_ON', 'both', 'clean', 'mixed')

teacher = stage('configs/glyphs/teacher.py', 'last.pth')
requires = [teacher]
cam, refined = (named_saliency(name, teacher) for name in ('cam', 'refined'))
augments = dict(
    mixup=dict(type='SampleMixup'),
    cutmix=dict(type='SampleCutMix', places='clipped'),
    cammix=dict(type='CAMMix', saliency=cam),
    paste=dict(type='ObjectPaste', saliency=refined, shape='mask', place='over', labels='visible'),
    supermix=supermix(teacher),
)
if mix == 'transformmix':
    search = stage('configs/glyphs/search.py', 'mixer.pth')
    requires += [search]
    augments[mix] = transformmix(search, teacher)
    objective = variant('OBJECTIVE', 'teacher', 'hard', 'diverse', 'visible', 'hard_diverse')
    if objective == 'visible':
        augments[mix]['labels'] = 'visible'  # those that the module has learned with its masks
if mix == 'none':
    hook = distill('kd', teacher)
else:
    hook = distill('kd_mixed', teacher, augment=augments[mix])
    hook.update(mixed_cls=labels, kd_on=kd_on)
custom_hooks = [dict(type='ChannelsLastHook'), hook]
