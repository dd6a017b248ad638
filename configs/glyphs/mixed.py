# `MIX` on `SHARE` % of the batches of the bed. A mix is made by the saliency `SEE`, and its label
# follows `LABELS`: the mix's own weights (gt), the visible part of a saliency, or how a teacher
# reads the mix: by probabilities of its classes alone (sources), by where maps lie (attended), or
# by features (similar). The saliency is that of a teacher (cam), the same refined by colour
# (refined), or the true mask of the object (true). Placebos are those of another image (other_...)
# and smooth noise (noise). A variant that the mixer does not read is refused: SEE is that of
# cammix and paste; PLACE, SHAPE and OPACITY are those of paste; SOFT, that of cutmix and fmix,
# blurs masks by a Gaussian of so many pixels; TEACHER is that of maps and of such labels.
# `paste_mixup` has what paste has.
_base_ = './simple.py'
from mmtmix.recipes import (
    LABELS,
    SALIENCY,
    named_labels,
    named_saliency,
    stage,
    teacher_from,
    uses_teacher,
    variant,
)

mix = variant(
    'MIX',
    'cutmix',
    'mixup',
    'fmix',
    'smoothmix',
    'resizemix',
    'puzzlemix',
    'cutmix_inside',
    'cammix',
    'paste',
    'paste_mixup',
)
share = variant('SHARE', 50, kind=int)
see, labels = variant('SEE', *SALIENCY), variant('LABELS', 'gt', *LABELS)
place = variant('PLACE', 'over', 'random', 'own', 'clear')
shape, opacity = variant('SHAPE', 'mask', 'box'), variant('OPACITY', 'full', 'drawn')
soft = variant('SOFT', 0, kind=int)
teachers = variant('TEACHER', 'fine', 'same', 'mixup')
teacher = stage('configs/glyphs/teacher.py', 'last.pth')
named = teacher_from(teacher, channels_last=True)


PASTE = ('SEE', 'PLACE', 'SHAPE', 'OPACITY')
READ = dict(cammix=('SEE',), cutmix=('SOFT',), fmix=('SOFT',), paste=PASTE, paste_mixup=PASTE)
DEFAULTS = dict(SEE='cam', PLACE='over', SHAPE='mask', OPACITY='full', SOFT=0)


def refuse_unused(**chosen):
    """Refuse settings that the mixer does not read."""
    for name, value in chosen.items():
        if value != DEFAULTS[name] and name not in READ.get(mix, ()):
            readers = ' or '.join(each for each, names in READ.items() if name in names)
            raise ValueError(
                f'variant {name}={value} has no effect with MIX={mix}; leave it out, or choose '
                f'MIX={readers}'
            )


refuse_unused(SEE=see, PLACE=place, SHAPE=shape, OPACITY=opacity, SOFT=soft)


augments = dict(
    mixup=dict(type='SampleMixup'),
    cutmix=dict(type='SampleCutMix', places='clipped'),
    cutmix_inside=dict(type='SampleCutMix'),
    fmix=dict(type='FMix'),
    smoothmix=dict(type='SmoothMix'),
    resizemix=dict(type='SampleResizeMix'),
    puzzlemix=dict(type='PuzzleMix'),
    cammix=dict(type='CAMMix', saliency=named_saliency(see, named)),
    paste=dict(
        type='ObjectPaste',
        saliency=named_saliency(see, named),
        shape=shape,
        place=place,
        opacity=opacity,
    ),
)
augment = augments['paste' if mix == 'paste_mixup' else mix]
maps = [see] if 'SEE' in READ.get(mix, ()) else []
if labels in maps:
    augment['labels'] = 'visible'  # by the maps that it mixes by
elif labels != 'gt':
    augment['labels'] = named_labels(labels, named)
elif mix.startswith('paste'):
    augment['labels'] = 'gt'  # its default is visible
if soft:
    augment = dict(type='SoftMasks', augment=augment, sigma=soft)
requires = [teacher] if any(map(uses_teacher, (*maps, labels))) else []
if mix == 'mixup' and labels not in ('gt', 'sources', 'similar'):  # masks are the weights
    raise ValueError(f'variant LABELS={labels} has no effect with MIX=mixup; leave it out')
if teachers != 'fine' and not requires:
    raise ValueError(
        f'variant TEACHER={teachers} has no effect, since no map or label is of a teacher'
    )
probs = [share / 100]
if mix == 'paste_mixup':  # one half of the mixed batches each
    augment, probs = [augment, augments['mixup']], [share / 200, share / 200]
model = dict(train_cfg=dict(augments=augment, probs=probs))
if mix == 'puzzlemix':  # it takes the saliency of the network in training
    custom_hooks = [*_base_.custom_hooks, dict(type='LiveModelHook')]
