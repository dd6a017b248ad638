# TransformMix Table 2, CIFAR-100, PreActResNet-18: 80.39 +- 0.04 / 95.37 +- 0.05 top-1 / top-5,
# mean of three seeds. 1 GPU x 100. The teacher and the mixer are made first, see `requires`.
# Ours: cross entropy (see simple/preactresnet18_cifar100.py); every batch is mixed, alpha 1.
_base_ = '../simple/preactresnet18_cifar100.py'

teacher = 'configs/simple/preactresnet18_cifar100.py'
checkpoint = 'work_dirs/simple/preactresnet18_cifar100/last.pth'
search = 'configs/transformmix/search_preactresnet18_cifar100.py'
mixer = 'work_dirs/transformmix/search_preactresnet18_cifar100/mixer.pth'
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
