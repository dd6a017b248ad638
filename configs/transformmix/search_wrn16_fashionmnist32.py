# The search of the shipped module `mmtmix://fashionmnist_k2`, docs/weights.md: the defaults of the
# library and 1,562 steps of Adam with a shipped teacher, about 10 minutes of a CPU core. It takes
# the first 50,000 training images of Fashion-MNIST, of which the teacher saw 10,000. Mixes of the
# last 10,000 are its validation. It needs the four official files in data/fashion_mnist.
_base_ = ['../_base_/datasets/fashionmnist32.py', '../_base_/default_runtime.py']

model = dict(
    type='MixerSearch',
    teacher=dict(
        config='mmtmix::simple/wrn16_fashionmnist32.py',
        checkpoint='mmtmix://wrn16_fashionmnist32',
        channels_last=True,
    ),
    mixer=dict(type='TransformMixer', num_mix=2),
    alpha=1.0,
)
train_dataloader = dict(batch_size=64, drop_last=True, dataset=dict(indices=50000))
val_dataloader = dict(dataset=dict(split='train', indices=-10000))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
optim_wrapper = dict(
    type='AutocastOptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3),
    clip_grad=dict(max_norm=1.0),
    paramwise_cfg=dict(custom_keys={'stn.localization': dict(lr_mult=0.1)}),
)
train_cfg = dict(type='MixerSearchLoop', max_epochs=2, val_interval=1)
val_cfg = dict()
test_cfg = dict()
custom_hooks = [dict(type='ChannelsLastHook')]
