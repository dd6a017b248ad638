# TransformMix Table 9, Tiny-ImageNet, ResNet-18, AutoMix protocol: 67.65 +- 0.12 top-1. 1 GPU x
# 100. The teacher and the mixer are made first, see `requires`.
# Ours: every batch is mixed, alpha 1.
_base_ = '../simple/resnet18_tinyimagenet.py'

teacher = 'configs/simple/resnet18_tinyimagenet.py'
checkpoint = 'work_dirs/simple/resnet18_tinyimagenet/last.pth'
search = 'configs/transformmix/search_resnet18_tinyimagenet.py'
mixer = 'work_dirs/transformmix/search_resnet18_tinyimagenet/mixer.pth'
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
