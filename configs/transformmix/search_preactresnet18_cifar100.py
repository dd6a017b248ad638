# TransformMix's search on CIFAR-100 for Table 2, section 4.1: 100 epochs, batch 128, with the
# PreActResNet-18 without mixing (76.33) as the teacher. 1 GPU x 128.
# Ours: the teacher is of the architecture that is trained afterwards; momentum 0.9, which the
# paper doesn't state; a validation every 10 epochs.
_base_ = [
    '../_base_/datasets/cifar100_puzzle.py',
    '../_base_/mixers/transformmix_paper.py',
    '../_base_/schedules/search_100e.py',
    '../_base_/default_runtime.py',
]

teacher = 'configs/simple/preactresnet18_cifar100.py'
checkpoint = 'work_dirs/simple/preactresnet18_cifar100/last.pth'
requires = [dict(config=teacher, produces=checkpoint)]

model = dict(
    teacher=dict(config=teacher, checkpoint=checkpoint),
    mixer=dict(cam_size=32),
)
train_dataloader = dict(batch_size=128, drop_last=True)
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
