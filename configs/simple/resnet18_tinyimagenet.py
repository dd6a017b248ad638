# TransformMix Table 9, Tiny-ImageNet, ResNet-18, AutoMix protocol, "Simple": 61.68 top-1 (from
# AutoMix; the median over the last 10 epochs there). 1 GPU x 100.
# It is also the teacher of the TransformMix experiment.
_base_ = [
    '../_base_/models/resnet18_tinyimagenet.py',
    '../_base_/datasets/tiny_imagenet_automix.py',
    '../_base_/schedules/automix_400e.py',
    '../_base_/default_runtime.py',
]
