# TransformMix Figure 7, CIFAR-100, ResNet-18; curves are printed, no numbers. The points are
# `MASK_LAYERS` (7a: 2, 3, 4), `MASK_CHANNELS` (7b: 8, 16, 32, 64), `MASK_KERNEL` (7c: 3, 5, 7),
# `ALPHA` (7d: 0.2, 0.5, 1, 2, 3, 4); the defaults are in all four. 1 GPU x 100. The teacher and
# the mixer are made first, see `requires`.
#     MASK_KERNEL=5 python tools/train.py configs/transformmix/resnet18_cifar100.py
# Ours: alpha is the search's as well; 200 epochs as in simple/resnet18_cifar100.py.
_base_ = '../simple/resnet18_cifar100.py'

setting = (
    'layers{{$MASK_LAYERS:3}}_channels{{$MASK_CHANNELS:32}}_kernel{{$MASK_KERNEL:3}}'
    '_alpha{{$ALPHA:1}}'
)
work_dir = f'work_dirs/transformmix/resnet18_cifar100/{setting}'
teacher = 'configs/simple/resnet18_cifar100.py'
checkpoint = 'work_dirs/simple/resnet18_cifar100/last.pth'
search = 'configs/transformmix/search_resnet18_cifar100.py'
mixer = f'work_dirs/transformmix/search_resnet18_cifar100/{setting}/mixer.pth'
requires = [dict(config=teacher, produces=checkpoint), dict(config=search, produces=mixer)]

model = dict(
    train_cfg=dict(
        augments=dict(
            type='TransformMix',
            mixer=mixer,
            teacher=dict(config=teacher, checkpoint=checkpoint),
            num_mix=2,
            alpha=float('{{$ALPHA:1}}'),
        )
    )
)
