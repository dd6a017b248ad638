# `MIX` on half of the batches, in the grid of docs/evidence.md: mixup, cutmix (with clipped boxes,
# as published), fmix, resizemix, or paste, which pastes objects by the teacher's maps refined by
# colour. `LABELS` are the weights of the mix (gt), or the visible part of the teacher's maps
# (cam), of the same refined by colour (refined), or of those of another image, a placebo
# (other_cam, other_refined), or the teacher's probabilities of the mixed classes (sources). Labels
# of paste count the maps that it pastes by: refined (its default), or other_refined, a placebo.
_base_ = '../simple/grid_fashionmnist.py'
from mmtmix.recipes import (
    named_labels,
    named_saliency,
    stage,
    teacher_from,
    uses_teacher,
    variant,
)

mix = variant('MIX', 'cutmix', 'mixup', 'fmix', 'resizemix', 'paste')
default = 'refined' if mix == 'paste' else 'gt'
others = {'gt', 'cam', 'refined', 'other_cam', 'other_refined', 'sources'} - {default}
labels = variant('LABELS', default, *sorted(others))
teacher = stage('configs/simple/teacher_grid_fashionmnist.py', 'last.pth', STEPS=1560, CLEAN=0)
named = teacher_from(teacher, channels_last=True)
requires = [teacher] if uses_teacher(labels) else []
augments = dict(
    mixup=dict(type='SampleMixup'),
    cutmix=dict(type='SampleCutMix', places='clipped'),
    fmix=dict(type='FMix'),
    resizemix=dict(type='SampleResizeMix'),
)
if mix == 'paste':
    if not labels.endswith('refined'):
        raise ValueError(f'LABELS must be refined or other_refined with MIX=paste, got {labels}')
    augment = dict(type='ObjectPaste', saliency=named_saliency(labels, named), labels='visible')
elif mix == 'mixup' and labels not in ('gt', 'sources'):  # masks are the weights
    raise ValueError(f'variant LABELS={labels} has no effect with MIX=mixup; leave it out')
else:
    augment = augments[mix]
    if labels != 'gt':
        augment['labels'] = named_labels(labels, named)
model = dict(train_cfg=dict(augments=augment, probs=[0.5]))
