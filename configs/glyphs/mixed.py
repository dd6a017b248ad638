# `MIX` on `SHARE` % of the batches of the bed. What a mix is made by is the saliency `SEE`, and
# what its label counts is `LABELS`: the mix's own weights (gt), or the visible part of a saliency.
# The saliency is that of a teacher (cam, grad_cam, gradient), the true mask of the object (true),
# or a placebo: the activation map of another image (other), or smooth noise (noise).
_base_ = './simple.py'
from mmtmix.recipes import stage, teacher_from, variant

mix = variant('MIX', 'cutmix', 'mixup', 'fmix', 'smoothmix', 'resizemix', 'cutmix_inside', 'paste', 'cammix')
share = variant('SHARE', 50, kind=int)
see = variant('SEE', 'cam', 'grad_cam', 'gradient', 'true', 'other', 'noise')
by = variant('LABELS', 'gt', 'cam', 'grad_cam', 'gradient', 'true', 'other', 'noise')
place = variant('PLACE', 'over', 'random', 'own', 'clear')
shape = variant('SHAPE', 'soft', 'mask', 'box')

mixes = dict(
    mixup=dict(type='SampleMixup'),
    cutmix=dict(type='SampleCutMix', places='clipped'),
    cutmix_inside=dict(type='SampleCutMix'),
    fmix=dict(type='FMix'),
    smoothmix=dict(type='SmoothMix'),
    resizemix=dict(type='SampleResizeMix'),
    paste=dict(type='ObjectPaste', shape=shape, place=place),
    cammix=dict(type='CAMMix'),
)
looks = mix in ('paste', 'cammix')
teacher = stage('configs/glyphs/teacher.py', 'last.pth')
maps = dict(cam='cam', grad_cam='grad_cam', gradient='input_gradient')


def saliency(name):
    if name in maps:
        named = teacher_from(teacher, saliency=maps[name], channels_last=True)
        return dict(type='TeacherCAM', teacher=named)
    if name == 'other':
        return dict(type='OtherImages', source=saliency('cam'))
    return dict(type='TrueMasks' if name == 'true' else 'NoiseSaliency')


augment = mixes[mix]
if looks:
    augment['saliency'] = saliency(see)
if by != 'gt':
    own = looks and by == see
    augment['labels'] = 'visible' if own else dict(type='VisibleLabels', saliency=saliency(by))
sources = {see} if looks else set()
if {*sources, by} & {'other', *maps}:
    requires = [teacher]
model = dict(train_cfg=dict(augments=augment, probs=[share / 100]))
