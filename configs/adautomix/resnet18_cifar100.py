# AdAutoMix, CIFAR-100, ResNet-18 after `EPOCHS` (200, 400, 800, 1200): 81.55, 81.97, 82.32 top-1
# (from its authors' page; the median over the last 10 epochs there). 1 GPU x 100.
# `NETWORK=resnext50`: 84.40, 84.05, 84.22. As their public config has it one draw of shares serves
# a batch, the cosine ends at 0.05, and the mix block has no channel for shares.
# Ours: one linear layer for all images; other partners; see README.md.
_base_ = '../mixbench/simple_cifar100.py'
model = dict(
    type='AdAutoMixClassifier',
    mix_block=dict(
        type='AdaptiveMixBlock', in_channels=dict(resnet18=256, resnext50=1024)[_base_.network]
    ),
    per_sample=False,
)
custom_hooks = [dict(type='AutoMixHook', end_momentum=0.999999)]
param_scheduler = dict(eta_min=0.05)
