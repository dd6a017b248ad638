# PuzzleMix's schedule of PreActResNet-18 on CIFAR-100: 1200 epochs, lr x0.1 at 400 and 800, no
# warm-up; on Tiny-ImageNet lr 0.2, x0.1 at 600 and 900
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True)
)
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[400, 800], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=1200, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=100)
