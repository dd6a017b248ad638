# Phases 2 and 3 of PuzzleMix's fast recipe on ImageNet, epochs 15 to 100 at batch 448, here 0 to
# 85: lr from 0.2 to 0.02 at epoch 40, 0.002 at 65, 2e-4 at 90, 2e-5 at 100, linear by iteration;
# no weight decay on batch normalisation. Phase 3 differs in none of this.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.2, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(norm_decay_mult=0),
)
ramp = dict(
    type='LinearLR', by_epoch=True, convert_to_iter_based=True, start_factor=1.0, end_factor=0.1
)
param_scheduler = [
    dict(**ramp, begin=0, end=25),
    dict(**ramp, begin=25, end=50),
    dict(**ramp, begin=50, end=75),
    dict(**ramp, begin=75, end=85),
]
train_cfg = dict(by_epoch=True, max_epochs=85, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=448)
