# TransformMix Table 2, CIFAR-100, WRN-28-10: 84.07 +- 0.05 / 96.97 +- 0.07 top-1 / top-5, mean
# of three seeds. 1 GPU x 100. The teacher and the mixer are made first, see `requires`.
# Ours: cross entropy (see simple/wrn28_cifar100.py); every batch is mixed, alpha 1.
_base_ = '../simple/wrn28_cifar100.py'

teacher = 'configs/simple/wrn28_cifar100.py'
checkpoint = 'work_dirs/simple/wrn28_cifar100/last.pth'
search = 'configs/transformmix/search_wrn28_cifar100.py'
mixer = 'work_dirs/transformmix/search_wrn28_cifar100/mixer.pth'
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
