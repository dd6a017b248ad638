# TransformMix Table 3, fine-tuned ResNet-50, "PuzzleMix": 98.28 / 99.75, 92.66 / 99.50, 80.62 /
# 95.87, 70.89 / 92.97 top-1 / top-5 on Flowers, Pets, Cars and Aircraft.
# The data set is `DATASET`: flowers102 (the default), pets, cars, aircraft, or flowers102_818,
# with as many test images as the printed figures of Flowers fit. 1 GPU x 64.
# Section 4.3: "the optimal hyperparameters for Tiny-ImageNet suggested by the original papers":
# whole blocks move (t_size -1) and the clean images are learned beside the mixed ones (clean_lam
# 1), as in preactresnet18_tinyimagenet.py.
_base_ = '../simple/resnet50_transfer.py'
model = dict(
    train_cfg=dict(
        augments=dict(
            type='PuzzleMix',
            alpha=1.0,
            t_size=-1,
            saliency=dict(type='InputGradient', clean_lam=1.0),
        )
    )
)
custom_hooks = [dict(type='LiveModelHook')]
