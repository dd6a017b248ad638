# TransformMix's search for its row of MixBench on Tiny-ImageNet: that of the paper, section 4.1,
# with the `NETWORK` (resnet18, resnext50) without mixing as the teacher. 1 GPU x 128.
# Ours: CAMs as large as the images; momentum 0.9, which the paper doesn't state; a validation
# every 10 epochs.
_base_ = [
    '../_base_/datasets/tiny_imagenet_automix.py',
    '../_base_/mixers/transformmix_paper.py',
    '../_base_/schedules/search_100e.py',
    '../_base_/default_runtime.py',
]

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/mixbench/simple_tiny_imagenet.py', 'last.pth')
requires = [teacher]
model = dict(teacher=teacher_from(teacher), mixer=dict(cam_size=64))
train_dataloader = dict(batch_size=128, drop_last=True)
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
