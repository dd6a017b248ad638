# TransformMix Table 7, Tiny-ImageNet, PreActResNet-18, k = 3: 66.03 / 85.16 top-1 / top-5. 1 GPU
# x 100. The teacher and the mixer are made first, see `requires`.
# Ours: cross entropy (see simple/preactresnet18_tinyimagenet.py); every batch is mixed, Dir(1,
# 1, 1).
_base_ = '../simple/preactresnet18_tinyimagenet.py'

teacher = 'configs/simple/preactresnet18_tinyimagenet.py'
checkpoint = 'work_dirs/simple/preactresnet18_tinyimagenet/last.pth'
search = 'configs/transformmix/search_preactresnet18_tinyimagenet_k3.py'
mixer = 'work_dirs/transformmix/search_preactresnet18_tinyimagenet_k3/mixer.pth'
requires = [dict(config=teacher, produces=checkpoint), dict(config=search, produces=mixer)]

model = dict(
    train_cfg=dict(
        augments=dict(
            type='TransformMix',
            mixer=mixer,
            teacher=dict(config=teacher, checkpoint=checkpoint),
            num_mix=3,
            alpha=1.0,
        )
    )
)
