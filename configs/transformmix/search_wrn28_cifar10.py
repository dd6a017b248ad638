# TransformMix's search on CIFAR-10 for Tables 6 and 8, section 4.1: 100 epochs, batch 128, with
# the WRN-28-10 without mixing (96.13) as the teacher. 1 GPU x 128.
# Ours: momentum 0.9, which the paper doesn't state; a validation every 10 epochs.
_base_ = [
    '../_base_/datasets/cifar10_puzzle.py',
    '../_base_/mixers/transformmix_paper.py',
    '../_base_/schedules/search_100e.py',
    '../_base_/default_runtime.py',
]

teacher = 'configs/simple/wrn28_cifar10.py'
checkpoint = 'work_dirs/simple/wrn28_cifar10/last.pth'
requires = [dict(config=teacher, produces=checkpoint)]

model = dict(
    teacher=dict(config=teacher, checkpoint=checkpoint),
    mixer=dict(cam_size=32),
)
train_dataloader = dict(batch_size=128, drop_last=True)
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
