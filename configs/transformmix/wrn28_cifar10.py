# TransformMix Table 6, CIFAR-10, WRN-28-10, "TransformMix": 97.21 +- 0.016 top-1. 1 GPU x 100.
# The teacher and the mixer are made first, see `requires`.
# Ours: the paper doesn't say how the networks of CIFAR-10 are trained: as WRN-28-10 on
# CIFAR-100; every batch is mixed, alpha 1.
_base_ = '../simple/wrn28_cifar10.py'

teacher = 'configs/simple/wrn28_cifar10.py'
checkpoint = 'work_dirs/simple/wrn28_cifar10/last.pth'
search = 'configs/transformmix/search_wrn28_cifar10.py'
mixer = 'work_dirs/transformmix/search_wrn28_cifar10/mixer.pth'
requires = [dict(config=teacher, produces=checkpoint), dict(config=search, produces=mixer)]

model = dict(
    train_cfg=dict(
        augments=dict(
            type='TransformMix',
            mixer=mixer,
            teacher=dict(config=teacher, checkpoint=checkpoint),
            num_mix=2,
            alpha=1.0,
        )
    )
)
