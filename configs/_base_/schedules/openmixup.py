# OpenMixup's schedule of CNNs on CIFAR-100: `EPOCHS` (200, 400, 800, 1200) at batch 100, cosine
# to 0, no warm-up. Ours: by iteration.
_base_ = []
from mmtmix.recipes import variant

epochs = variant('EPOCHS', 200, 400, 800, 1200)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(
    type='CosineAnnealingLR', T_max=epochs, eta_min=0, by_epoch=True, convert_to_iter_based=True
)
train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=100)
