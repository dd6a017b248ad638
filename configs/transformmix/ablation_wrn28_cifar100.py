# TransformMix Table 4, CIFAR-100, WRN-28-10, `ABLATION`: softmax_cam 82.66 +- 0.08, stn_only
# (the default) 83.79 +- 0.04, mask_only 83.52 +- 0.01. 1 GPU x 100. The teacher and the mixer
# are made first, see `requires`.
# Both parts together are wrn28_cifar100.py.
_base_ = '../simple/wrn28_cifar100.py'

ablation = '{{$ABLATION:stn_only}}'
work_dir = f'work_dirs/transformmix/ablation_wrn28_cifar100/{ablation}'
teacher = 'configs/simple/wrn28_cifar100.py'
checkpoint = 'work_dirs/simple/wrn28_cifar100/last.pth'
search = 'configs/transformmix/search_ablation_wrn28_cifar100.py'
mixer = f'work_dirs/transformmix/search_ablation_wrn28_cifar100/{ablation}/mixer.pth'
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
