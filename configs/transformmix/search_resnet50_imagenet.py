# TransformMix's search on ImageNet for Table 2, section 4.1: 100 epochs, batch 128, with the
# ResNet-50 without mixing (75.69 / 92.66) as the teacher. 4 GPUs x 32: the batch size below is
# that of one process, divide it by their number.
# Ours: images as in phases 2 and 3, of 224 pixels, and CAMs and masks of 64 (cam_size), from which
# masks are resized to 224, since the paper doesn't say which; momentum 0.9, which is not
# stated; a validation every 10 epochs.
_base_ = [
    '../_base_/datasets/imagenet_puzzle_352.py',
    '../_base_/mixers/transformmix_paper.py',
    '../_base_/schedules/search_100e.py',
    '../_base_/default_runtime.py',
]

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/simple/resnet50_imagenet.py', 'last.pth')
requires = [teacher]
model = dict(teacher=teacher_from(teacher), mixer=dict(cam_size=64))
train_dataloader = dict(batch_size=128, drop_last=True)
# in folders the images lie class by class, and so would those that MixQuality mixes
val_dataloader = dict(sampler=dict(shuffle=True, seed=0))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
