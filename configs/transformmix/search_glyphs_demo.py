# The search of the demo: Adam and 150 steps of the whole module.
_base_ = ['../_base_/datasets/glyphs_demo.py', '../_base_/default_runtime.py']

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/simple/glyphs_demo.py', 'last.pth')
requires = [teacher]
model = dict(
    type='MixerSearch',
    teacher=teacher_from(teacher),
    mixer=dict(type='TransformMixer', num_mix=2, cam_size=32),
    alpha=1.0,
)
train_dataloader = dict(drop_last=True)
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
optim_wrapper = dict(
    type='AutocastOptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3),
    clip_grad=dict(max_norm=1.0),
)
train_cfg = dict(type='MixerSearchLoop', max_epochs=10, val_interval=5)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(logger=dict(interval=15), checkpoint=dict(interval=5))
