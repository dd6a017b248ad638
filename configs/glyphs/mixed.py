# `MIX` on `SHARE` % of the batches of the bed. A mix is made by the saliency `SEE`, and its label
# follows `LABELS`: the mix's own weights (gt), or the visible part of a saliency. The saliency is
# that of a teacher (cam), the same refined by colour (refined), or the true mask of the object
# (true). Placebos are those of another image (other_...) and smooth noise (noise). A variant that
# the mixer does not read is refused: SEE is that of cammix and paste, PLACE, SHAPE and OPACITY are
# those of paste.
_base_ = './simple.py'
from mmtmix.recipes import stage, teacher_from, variant

mix = variant(
    'MIX',
    'cutmix',
    'mixup',
    'fmix',
    'smoothmix',
    'resizemix',
    'cutmix_inside',
    'cammix',
    'paste',
    'paste_mixup',
)
share = variant('SHARE', 50, kind=int)
MAPS = ('cam', 'refined', 'true', 'other_cam', 'other_refined', 'other_true', 'noise')
see, labels = variant('SEE', *MAPS), variant('LABELS', 'gt', *MAPS)
place = variant('PLACE', 'over', 'random', 'own', 'clear')
shape, opacity = variant('SHAPE', 'mask', 'box'), variant('OPACITY', 'full', 'drawn')
teacher = stage('configs/glyphs/teacher.py', 'last.pth')


def refuse_unused(**chosen):
    """Refuse settings that the mixer does not read."""
    used = dict(cammix=['SEE'], paste=[*chosen], paste_mixup=[*chosen]).get(mix, [])
    defaults = dict(SEE='cam', PLACE='over', SHAPE='mask', OPACITY='full')
    for name, value in chosen.items():
        if name not in used and value != defaults[name]:
            raise ValueError(
                f'variant {name}={value} has no effect with MIX={mix}; leave it out, or choose '
                f'MIX=paste{" or cammix" if name == "SEE" else ""}'
            )


refuse_unused(SEE=see, PLACE=place, SHAPE=shape, OPACITY=opacity)


def saliency(name):
    """Return the config of a source of saliency."""
    kind, _, source = name.partition('_')
    if kind == 'other':
        return dict(type='OtherImages', source=saliency(source))
    if kind == 'refined':
        return dict(type='RefinedSaliency', source=saliency('cam'))
    if kind == 'cam':
        return dict(type='TeacherCAM', teacher=teacher_from(teacher, channels_last=True))
    return dict(type='TrueMasks' if kind == 'true' else 'NoiseSaliency')


augments = dict(
    mixup=dict(type='SampleMixup'),
    cutmix=dict(type='SampleCutMix', places='clipped'),
    cutmix_inside=dict(type='SampleCutMix'),
    fmix=dict(type='FMix'),
    smoothmix=dict(type='SmoothMix'),
    resizemix=dict(type='SampleResizeMix'),
    cammix=dict(type='CAMMix', saliency=saliency(see)),
    paste=dict(
        type='ObjectPaste', saliency=saliency(see), shape=shape, place=place, opacity=opacity
    ),
)
augment = augments['paste' if mix == 'paste_mixup' else mix]
maps = [see] if 'saliency' in augment else []
if labels in maps:
    augment['labels'] = 'visible'  # by the maps that it mixes by
elif labels != 'gt':
    augment['labels'] = dict(type='VisibleLabels', saliency=saliency(labels))
requires = [teacher] if any(name.endswith(('cam', 'refined')) for name in (*maps, labels)) else []
probs = [share / 100]
if mix == 'paste_mixup':  # one half of the mixed batches each
    augment, probs = [augment, augments['mixup']], [share / 200, share / 200]
model = dict(train_cfg=dict(augments=augment, probs=probs))
