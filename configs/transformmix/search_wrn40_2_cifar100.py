# TransformMix's search for Table 10, section 4.1: 100 epochs, batch 128, with SuperMix's teacher
# WRN-40-2. 1 GPU x 128.
# Ours: the images as SuperMix's distillation has them (padding 4), since Table 10 follows it;
# momentum 0.9; a validation every 10 epochs.
_base_ = [
    '../_base_/datasets/cifar100_supermix.py',
    '../_base_/mixers/transformmix_paper.py',
    '../_base_/schedules/search_100e.py',
    '../_base_/default_runtime.py',
]

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/distill/teacher_wrn40_2_cifar100.py', 'last.pth')
requires = [teacher]
model = dict(teacher=teacher_from(teacher), mixer=dict(cam_size=32))
train_dataloader = dict(batch_size=128, drop_last=True)
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
