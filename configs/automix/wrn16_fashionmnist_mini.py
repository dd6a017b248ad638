# AutoMix at the budget of transformmix/wrn16_fashionmnist_mini
_base_ = '../simple/wrn16_fashionmnist_mini.py'
model = dict(
    type='AutoMixClassifier',
    # of the second of three stages, whose maps nothing has normalised
    mix_block=dict(type='MixBlock', in_channels=32, norm=True),
    alpha=2.0,
)
# the paper's 0.999 is for hundreds of epochs: here it would outlast the run's 600 steps
custom_hooks = [dict(type='AutoMixHook', momentum=0.95)]
