# TransformMix Table 3, fine-tuned ResNet-50, "Simple": 97.55 / 99.87, 92.88 / 99.48, 79.43 /
# 95.52, 68.79 / 92.34 top-1 / top-5 on Flowers, Pets, Cars and Aircraft.
# The data set is `DATASET`: flowers102 (the default), pets, cars, aircraft, or flowers102_818,
# with as many test images as the printed figures of Flowers fit. 1 GPU x 64.
# Starts from torchvision's V1 weights. Ours, since the paper gives lr, batch and epochs only:
# see transfer_100e.py and the data sets.
_base_ = [
    '../_base_/models/resnet50_imagenet.py',
    '../_base_/datasets/transfer.py',
    '../_base_/schedules/transfer_100e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    head=dict(num_classes=_base_.data_preprocessor.num_classes),
)
