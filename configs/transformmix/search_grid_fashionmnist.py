# Searches of the grid of docs/evidence.md. `SEARCH` names the module: `paper`, or how ours differ.
# `OBJECTIVE` names what is minimised: the teacher's cross entropy, or terms beside it.
_base_ = ['../_base_/datasets/grid.py', '../_base_/default_runtime.py']
from mmtmix.recipes import stage, teacher_from, variant

saliency = variant('SALIENCY', 'cam', 'grad_cam', 'input_gradient')
teacher = stage('configs/simple/teacher_grid_fashionmnist.py', 'last.pth', STEPS=1560, CLEAN=0)
requires = [teacher]
objectives = ('hard', 'unlikely', 'diverse', 'visible', 'hard_diverse', 'hard_visible')
objective = variant('OBJECTIVE', 'teacher', *objectives)

# what modules differ in is written out, so that results don't depend on the library's defaults
paper = dict(
    type='TransformMixer',
    num_mix=2,
    cam_size=28,
    transform='stn',
    mask='network',
    padding_mode='zeros',
    noise_size=1,
    saliency_noise=0.0,
    random_orientation=False,
    anchored=False,
    mask_size=None,
)
border = paper | dict(padding_mode='border')
turned_anchored = border | dict(random_orientation=True, anchored=True)
noise = dict(saliency_noise=0.5, noise_size=4)
noisy = turned_anchored | noise
still, by_cam = dict(transform='none'), dict(mask='softmax_cam')
small = dict(mask_size=16)
mixers = dict(
    paper=paper,
    # what lies outside of a warped image
    border=border,
    # whether an image of all the weight is seen alone and unmoved
    anchored=border | dict(anchored=True),
    # whether CAMs are turned to any of the eight orientations of a square
    turned=border | dict(random_orientation=True),
    turned_anchored=turned_anchored,
    # whether CAMs, whose own range is [0, 1], have noise: alone, and beside both before
    noisy_unturned=border | noise,
    noisy=noisy,
    noisy_zeros=noisy | dict(padding_mode='zeros'),
    noisy_reflection=noisy | dict(padding_mode='reflection'),
    # parts of the module, as in TransformMix Table 4
    noisy_mask_only=noisy | still,
    noisy_stn_only=noisy | by_cam,
    noisy_softmax_cam=noisy | still | by_cam,
    # masks without noise, and with twice as much
    turned_anchored_mask_only=turned_anchored | still,
    noisier_mask_only=noisy | still | dict(saliency_noise=1.0),
    # noisy_mask_only for a quarter of the steps, for four times as many, and by the paper's
    # optimizer
    mask_only_short=noisy | still,
    mask_only_long=noisy | still,
    mask_only_sgd=noisy | still,
    # masks made at 16x16, and not at the size of the images
    noisy_mask16=noisy | small,
    noisy_mask_only_mask16=noisy | still | small,
    mask_only_short_mask16=noisy | still | small,
)
name = variant('SEARCH', 'noisy', *(name for name in mixers if name != 'noisy'))
steps = dict(mask_only_short=390, mask_only_short_mask16=390, mask_only_long=6240).get(name, 1560)
optimizer = dict(type='Adam', lr=1e-3)
if name == 'mask_only_sgd':
    optimizer = dict(type='SGD', lr=5e-4, momentum=0.9, weight_decay=0.01)
epochs = steps // (_base_.num_images // 64)

model = dict(
    type='MixerSearch',
    teacher=teacher_from(teacher, saliency=saliency, channels_last=True),
    mixer=mixers[name],
    alpha=1.0,
)
if 'hard' in objective or objective == 'unlikely':
    # the same teacher after its second epoch
    early = stage(teacher['config'], 'early_2.pth', STEPS=1560, CLEAN=0)
    requires.append(early)
    model['hard_for'] = dict(
        teacher=teacher_from(early, channels_last=True),
        beta=0.5,
        form='unlikelihood' if objective == 'unlikely' else 'clipped',
    )
if 'diverse' in objective:
    if mixers[name].get('transform') == 'none':
        raise ValueError(f'OBJECTIVE={objective} needs a noise z, and SEARCH={name} has none')
    model['diversity'] = 0.05
if 'visible' in objective:
    model['labels'] = 'visible'
# enough of them to see how well the teacher reads the mixes
val_dataloader = dict(dataset=dict(split='train', indices=-2000))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
optim_wrapper = dict(
    type='AutocastOptimWrapper',
    optimizer=optimizer,
    clip_grad=dict(max_norm=1.0),
    paramwise_cfg=dict(custom_keys={'stn.localization': dict(lr_mult=0.1)}),
)
train_cfg = dict(type='MixerSearchLoop', max_epochs=epochs, val_interval=max(1, epochs // 4))
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(checkpoint=dict(interval=max(1, epochs // 4)))
custom_hooks = [dict(type='ChannelsLastHook')]
