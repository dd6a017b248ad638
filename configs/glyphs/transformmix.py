# TransformMix on `SHARE` % of the batches of the bed, with the module of the search `SEARCH`.
# Labels are the drawn weights (gt), or the visible part of the refined saliency (refined) or of
# the true masks (true).
_base_ = './simple.py'
from mmtmix.recipes import stage, teacher_from, transformmix, variant

share = variant('SHARE', 50, kind=int)
labels = variant('LABELS', 'gt', 'refined', 'true')
teacher = stage('configs/glyphs/teacher.py', 'last.pth')
search = stage('configs/glyphs/search.py', 'mixer.pth')
requires = [teacher, search]

named = teacher_from(teacher, channels_last=True)
refined = dict(type='RefinedSaliency', source=dict(type='TeacherCAM', teacher=named))
rules = dict(
    gt='gt',
    refined=dict(type='VisibleLabels', saliency=refined),
    true=dict(type='VisibleLabels', saliency='TrueMasks'),
)
augment = transformmix(search, named, labels=rules[labels])
model = dict(train_cfg=dict(augments=augment, probs=[share / 100]))
