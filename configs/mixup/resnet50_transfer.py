# TransformMix Table 3, fine-tuned ResNet-50, "Mixup": 97.92 / 99.75, 93.04 / 99.31, 80.84 /
# 95.77, 70.83 / 93.00 top-1 / top-5 on Flowers, Pets, Cars and Aircraft.
# The data set is `DATASET`: flowers102 (the default), pets, cars, aircraft, or flowers102_818,
# with as many test images as the printed figures of Flowers fit. 1 GPU x 64.
# Section 4.3: "the optimal hyperparameters for Tiny-ImageNet suggested by the original papers".
# Ours: alpha 0.2, as in Table 2.
_base_ = '../simple/resnet50_transfer.py'
model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=0.2)))
