# TransformMix Table 9, Tiny-ImageNet, ResNet-18, AutoMix protocol, "AutoMix": 67.33 top-1 (from
# AutoMix; the median over the last 10 epochs there). 1 GPU x 100.
# As its public config has it the cosine ends at 0.05, not 0, the mix block starts at lr 0.1, and
# it has no channel for the shares (lam_concat).
# Ours: the mix block's lr ends at the same ratio, 0.025, where there it is 0.001; shares for each
# sample. As in the paper the area loss's weight falls to 0 and the momentum ends at 1; there they
# stay at 0.1 and end at 0.999999.
_base_ = '../simple/resnet18_tinyimagenet.py'
model = dict(
    type='AutoMixClassifier',
    mix_block=dict(type='MixBlock', in_channels=256, lam_concat=False),
    alpha=2.0,
)
custom_hooks = [dict(type='AutoMixHook')]
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'mixing.mix_block': dict(lr_mult=0.5)}))
param_scheduler = dict(eta_min=None, eta_min_ratio=0.25)
