# TransformMix on `SHARE` % of the batches of the bed, with the module of the search `SEARCH`.
# Labels are the drawn weights (gt); the visible part of the module's own saliency (visible), as in
# a search with OBJECTIVE=visible, which makes it the default; or the visible part of the refined
# saliency (refined), of the true masks (true), or of another image's refined saliency, a placebo
# (other_refined).
_base_ = './simple.py'
from mmtmix.recipes import stage, teacher_from, transformmix, variant, visible_labels

share = variant('SHARE', 50, kind=int)
objective = variant('OBJECTIVE', 'teacher', 'hard', 'diverse', 'visible', 'hard_diverse')
learned = ('visible', 'gt') if objective == 'visible' else ('gt', 'visible')
labels = variant('LABELS', *learned, 'refined', 'true', 'other_refined')
teacher = stage('configs/glyphs/teacher.py', 'last.pth')
search = stage('configs/glyphs/search.py', 'mixer.pth')
requires = [teacher, search]

named = teacher_from(teacher, channels_last=True)
rule = labels if labels in learned else visible_labels(labels, named)
augment = transformmix(search, named, labels=rule)
model = dict(train_cfg=dict(augments=augment, probs=[share / 100]))
