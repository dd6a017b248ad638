# Shake-Shake 26 2x96d on CIFAR-100: 1800 epochs at batch 128, cosine to 0 by iteration.
# SuperMix's Table 1 only says that it follows the evaluation of AutoAugment, Fast AutoAugment and
# PBA, so the numbers are theirs: lr 0.01, Nesterov, gradients clipped to a norm of 5, and the
# weight decay of their CIFAR-100 runs (1e-3 on CIFAR-10). Gastaldi's own lr of 0.2 goes with 1e-4.
# Give batch_size=128 beside a data set's file; with mixed images, scale_epochs.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=2.5e-3, nesterov=True),
    clip_grad=dict(max_norm=5),
)
param_scheduler = dict(
    type='CosineAnnealingLR', T_max=1800, eta_min=0, by_epoch=True, convert_to_iter_based=True
)
train_cfg = dict(by_epoch=True, max_epochs=1800, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=128)
