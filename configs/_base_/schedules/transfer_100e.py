# Fine-tuning in TransformMix's Table 3, section 4.3: 100 epochs at lr 0.001 and batch 64.
# Ours: SGD with momentum 0.9, weight decay 1e-4, cosine to 0.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(
    type='CosineAnnealingLR', T_max=100, eta_min=0, by_epoch=True, convert_to_iter_based=True
)
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=64)
