# SuperMix Table 5, the teacher ResNet-34: 73.31 / 91.42 top-1 / top-5. That is torchvision's V1
# file, which is converted rather than trained, see README.md. This trains one instead:
# 1 GPU x 256; ours: the students' 100 epochs.
_base_ = [
    '../_base_/models/resnet34_imagenet.py',
    '../_base_/datasets/imagenet_supermix.py',
    '../_base_/schedules/distill_imagenet.py',
    '../_base_/default_runtime.py',
]
