# Phase 1 of PuzzleMix's fast recipe on ImageNet, epochs 0 to 15 at batch 1024: lr from 0.5 to 1 at
# epoch 8, to 0.125 at epoch 15, linear by iteration; no weight decay on batch normalisation
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=1.0, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(norm_decay_mult=0),
)
ramp = dict(type='LinearLR', by_epoch=True, convert_to_iter_based=True)
param_scheduler = [
    dict(**ramp, start_factor=0.5, end_factor=1.0, begin=0, end=8),
    dict(**ramp, start_factor=1.0, end_factor=0.125, begin=8, end=15),
]
train_cfg = dict(by_epoch=True, max_epochs=15, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=1024)
