# TransformMix Table 2, ImageNet, ResNet-50, "PuzzleMix": 77.51 / 93.76 top-1 / top-5. Phase 1 of
# PuzzleMix's fast recipe, epochs 0 to 15 at 128 pixels; resnet50_imagenet.py goes on from its
# weights. 4 GPUs x 256.
# beta 1.5 and blocks that move as a whole (t_size -1) are its public settings on ImageNet. So is
# the loss on clean images up to epoch 40 (clean_lam 1).
_base_ = '../simple/resnet50_imagenet_phase1.py'

model = dict(
    train_cfg=dict(
        augments=dict(
            type='PuzzleMix',
            alpha=1.0,
            beta=1.5,
            t_size=-1,
            saliency=dict(type='InputGradient', clean_lam=1.0),
        )
    )
)
custom_hooks = [dict(type='LiveModelHook')]
