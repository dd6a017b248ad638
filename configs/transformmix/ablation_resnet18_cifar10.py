# TransformMix Table 4, CIFAR-10, ResNet-18, `ABLATION`: softmax_cam 95.62 +- 0.06, stn_only (the
# default) 96.03 +- 0.02, mask_only 96.02 +- 0.01. 1 GPU x 100. The teacher and the mixer are
# made first, see `requires`.
# Both parts together are resnet18_cifar10.py.
_base_ = '../simple/resnet18_cifar10.py'

ablation = '{{$ABLATION:stn_only}}'
work_dir = f'work_dirs/transformmix/ablation_resnet18_cifar10/{ablation}'
teacher = 'configs/simple/resnet18_cifar10.py'
checkpoint = 'work_dirs/simple/resnet18_cifar10/last.pth'
search = 'configs/transformmix/search_ablation_resnet18_cifar10.py'
mixer = f'work_dirs/transformmix/search_ablation_resnet18_cifar10/{ablation}/mixer.pth'
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
