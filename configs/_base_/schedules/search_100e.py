# TransformMix's search, section 4.1; the momentum isn't stated there
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=5e-4, momentum=0.9, weight_decay=0.01),
)
train_cfg = dict(type='MixerSearchLoop', max_epochs=100, val_interval=10)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=128)
