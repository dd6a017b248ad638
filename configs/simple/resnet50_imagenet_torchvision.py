# Torchvision's ResNet-50 V1 (76.13 / 92.86 there), whose CAMs TransformMix's Table 3 is made
# with. It is converted rather than trained:
#     python tools/convert_checkpoint.py \
#       https://download.pytorch.org/models/resnet50-0676ba61.pth \
#       work_dirs/simple/resnet50_imagenet_torchvision/last.pth --arch resnet50_imagenet
# This trains one instead, by the recipe of torchvision's reference script: 8 GPUs x 32.
_base_ = [
    '../_base_/models/resnet50_imagenet.py',
    '../_base_/datasets/imagenet_supermix.py',
    '../_base_/schedules/torchvision_90e.py',
    '../_base_/default_runtime.py',
]
