# ResNets on ImageNet in SuperMix's Table 1: 270 epochs at batch 256, lr x0.1 at 90, 180 and 240.
# Section 4 gives the batch size, lr 0.1 and momentum; its 600 epochs and weight decay are those of
# CIFAR-100, and section 4.1 follows the evaluation of AutoAugment, whose epochs, milestones and
# weight decay these are (lr 1.6 at batch 4096 there, the same for each image). Ours: neither
# Nesterov's momentum nor a warm-up. With mixed images, scale_epochs.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[90, 180, 240], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=270, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=256)
