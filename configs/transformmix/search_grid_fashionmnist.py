# Searches of the grid of docs/evidence.md. `SEARCH` names the settings, each one step from `base`.
_base_ = ['../_base_/datasets/{{$DATASET:fashionmnist}}_grid.py', '../_base_/default_runtime.py']

name = '{{$SEARCH:base}}'
setting = '{{$DATASET:fashionmnist}}_{{$NUM_IMAGES:1000}}_{{$NET:wrn16_1}}_{{$TEACHER:same}}'
work_dir = f'work_dirs/transformmix/search_grid_fashionmnist/{setting}_{name}'
teacher = 'configs/simple/teacher_grid_fashionmnist.py'
checkpoint = f'work_dirs/simple/teacher_grid_fashionmnist/{setting}/last.pth'
requires = [dict(config=teacher, produces=checkpoint)]

noisy = dict(random_orientation=True, anchored=True, noise_size=4)
searches = dict(
    base=dict(),
    # Table 4
    softmax_cam=dict(mixer=dict(transform='none', mask='softmax_cam')),
    stn_only=dict(mixer=dict(mask='softmax_cam')),
    mask_only=dict(mixer=dict(transform='none')),
    # what lies outside of a warped image
    zeros=dict(mixer=dict(padding_mode='zeros')),
    reflection=dict(mixer=dict(padding_mode='reflection')),
    # an image of all the weight is seen alone and unmoved
    anchored=dict(mixer=dict(anchored=True)),
    # CAMs turned to any of the eight orientations of a square
    turned=dict(mixer=dict(random_orientation=True)),
    turned_anchored=dict(mixer=dict(random_orientation=True, anchored=True)),
    masks_anchored=dict(mixer=dict(transform='none', random_orientation=True, anchored=True)),
    # noise on the CAMs, whose own range is [0, 1]
    noisy=dict(mixer=noisy | dict(saliency_noise=0.5)),
    noisy_masks=dict(mixer=noisy | dict(saliency_noise=0.5, transform='none')),
    noisy_softmax_cam=dict(
        mixer=noisy | dict(saliency_noise=0.5, transform='none', mask='softmax_cam')
    ),
    noisy_stn_only=dict(mixer=noisy | dict(saliency_noise=0.5, mask='softmax_cam')),
    noisier=dict(mixer=noisy | dict(saliency_noise=1.0)),
    noisier_masks=dict(mixer=noisy | dict(saliency_noise=1.0, transform='none')),
    # how long, and by what
    short=dict(steps=390),
    long=dict(steps=6240),
    sgd=dict(optimizer=dict(type='SGD', lr=5e-4, momentum=0.9, weight_decay=0.01)),
)
search = searches[name]
del searches, noisy  # other searches are no part of this one
epochs = search.get('steps', 1560) // (_base_.num_images // 64)

model = dict(
    type='MixerSearch',
    teacher=dict(config=teacher, checkpoint=checkpoint, channels_last=True),
    mixer=dict(type='TransformMixer', num_mix=2, cam_size=28, padding_mode='border')
    | search.get('mixer', {}),
    alpha=1.0,
)
# a fifth of the images shows how well it reads the mixes
val_dataloader = dict(dataset=dict(split='train', indices=-2000))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
optim_wrapper = dict(
    type='AutocastOptimWrapper',
    optimizer=search.get('optimizer', dict(type='Adam', lr=1e-3)),
    clip_grad=dict(max_norm=1.0),
    paramwise_cfg=dict(custom_keys={'stn.localization': dict(lr_mult=0.1)}),
)
train_cfg = dict(type='MixerSearchLoop', max_epochs=epochs, val_interval=max(1, epochs // 4))
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(checkpoint=dict(interval=max(1, epochs // 4)))
custom_hooks = [dict(type='ChannelsLastHook')]
