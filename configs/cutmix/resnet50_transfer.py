# TransformMix Table 3, fine-tuned ResNet-50, "CutMix": 97.67 / 99.63, 92.09 / 99.20, 80.91 /
# 95.94, 69.63 / 93.06 top-1 / top-5 on Flowers, Pets, Cars and Aircraft.
# The data set is `DATASET`: flowers102 (the default), pets, cars, aircraft, or flowers102_818,
# with as many test images as the printed figures of Flowers fit. 1 GPU x 64.
# Section 4.3: "the optimal hyperparameters for Tiny-ImageNet suggested by the original papers".
# Ours: alpha 0.2, as in Table 2.
_base_ = '../simple/resnet50_transfer.py'
model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=0.2)))
