# AdAutoMix, Tiny-ImageNet, ResNet-18 after 400 epochs: 69.19 top-1, `NETWORK=resnext50`: 72.89
# (from its authors' page; the median over the last 10 epochs there). 1 GPU x 100.
# As their public config has it beta is 0.4, and the mix block's lr half of the classifier's.
# Ours: see resnet18_cifar100.py.
_base_ = '../mixbench/simple_tiny_imagenet.py'
model = dict(
    type='AdAutoMixClassifier',
    mix_block=dict(
        type='AdaptiveMixBlock', in_channels=dict(resnet18=256, resnext50=1024)[_base_.network]
    ),
    beta=0.4,
    per_sample=False,
)
custom_hooks = [dict(type='AutoMixHook', end_momentum=0.999999)]
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'mixing.mix_block': dict(lr_mult=0.5)}))
