# TransformMix Table 3, fine-tuned ResNet-50, "SaliencyMix": 98.16 / 99.75, 92.83 / 99.34, 78.90
# / 95.32, 69.42 / 92.25 top-1 / top-5 on Flowers, Pets, Cars and Aircraft.
# The data set is `DATASET`: flowers102 (the default), pets, cars, aircraft, or flowers102_818,
# with as many test images as the printed figures of Flowers fit. 1 GPU x 64.
# Section 4.3: "the optimal hyperparameters for Tiny-ImageNet suggested by the original papers".
# Ours: alpha 1 and every batch mixed; one box per sample.
_base_ = '../simple/resnet50_transfer.py'
model = dict(train_cfg=dict(augments=dict(type='SaliencyMix', alpha=1.0)))
