# Searches of the bed. `SEARCH` is the module: ours, ours without a spatial transformer (masks), or
# that of the paper (paper). `OBJECTIVE` adds terms to the teacher's cross entropy: mixes that are
# hard for the early teacher (hard), masks that follow the noise z (diverse, not with
# SEARCH=masks), labels that are learned with the masks (visible).
_base_ = ['../_base_/datasets/glyphs_grid.py', '../_base_/default_runtime.py']
from mmtmix.recipes import stage, teacher_from, variant

teacher = stage('configs/glyphs/teacher.py', 'last.pth')
requires = [teacher]

ours = dict(
    type='TransformMixer',
    num_mix=2,
    cam_size=32,
    transform='stn',
    mask='network',
    padding_mode='border',
    noise_size=4,
    saliency_noise=0.5,
    random_orientation=True,
    anchored=True,
    mask_size=None,
)
published = dict(
    padding_mode='zeros',
    noise_size=1,
    saliency_noise=0.0,
    random_orientation=False,
    anchored=False,
)
mixers = dict(ours=ours, masks=ours | dict(transform='none'), paper=ours | published)
name = variant('SEARCH', *mixers)
steps = variant('STEPS', 1200, kind=int)
epochs = max(1, steps // (_base_.num_images // 50))
model = dict(
    type='MixerSearch',
    teacher=teacher_from(teacher, channels_last=True),
    mixer=mixers[name],
    alpha=1.0,
)
objective = variant('OBJECTIVE', 'teacher', 'hard', 'diverse', 'visible', 'hard_diverse')
if 'hard' in objective:
    early = stage(teacher['config'], f'early_{max(1, epochs // 10)}.pth')
    requires.append(early)
    model['hard_for'] = dict(teacher=teacher_from(early, channels_last=True), beta=0.5)
if 'diverse' in objective:
    if name == 'masks':
        raise ValueError(f'OBJECTIVE={objective} needs a noise z; choose SEARCH=ours or paper')
    model['diversity'] = 0.05
if objective == 'visible':
    model['labels'] = 'visible'

# how well the teacher reads the mixes is measured on the images that settings are chosen by
val_dataloader = dict(dataset=dict(split='val'))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3),
    clip_grad=dict(max_norm=1.0),
    paramwise_cfg=dict(custom_keys={'stn.localization': dict(lr_mult=0.1)}),
)
train_cfg = dict(type='MixerSearchLoop', max_epochs=epochs, val_interval=epochs)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(checkpoint=dict(interval=epochs))
custom_hooks = [dict(type='ChannelsLastHook')]
