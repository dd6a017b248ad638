# WRNs on CIFAR-100 in SuperMix's Table 1, section 4: 600 epochs at batch 128, lr x0.1 at 200, 300,
# 400 and 500.
# Ours: section 4 gives these numbers for CIFAR-100 at large, so they are taken here, too, and not
# the 200 epochs (cosine) of AutoAugment and RandAugment, from whose papers the other columns are;
# all columns get them, so that they compare. Neither Nesterov's momentum nor a warm-up is stated.
# Give batch_size=128 beside a data set's file; with mixed images, scale_epochs.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4))
param_scheduler = dict(
    type='MultiStepLR', by_epoch=True, milestones=[200, 300, 400, 500], gamma=0.1
)
train_cfg = dict(by_epoch=True, max_epochs=600, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=128)
