# Distillation on ImageNet, SuperMix section 4.2 and CRD: 100 epochs at batch 256 in all, with
# mixed images (`mixed_recipe`, see recipes.student_of) and without. Epochs are those of the
# clean images, 100 x 5005 iterations, however many mixed ones a second loader gives meanwhile.
# Ours: mixed images are cropped as clean ones, as the public code does where it trains on mixed
# images of ImageNet alone.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[30, 60, 90], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=256)

mixed_recipe = dict(
    optim_wrapper=optim_wrapper,
    param_scheduler=param_scheduler,
    train_cfg=train_cfg,
    train_dataloader=dict(batch_size=256),
    auto_scale_lr=auto_scale_lr,
)
# those of a generated set are loaded, and 224 pixels wide and high
mixed_pipeline = [
    dict(type='RandomResizedCrop', scale=224, backend='pillow'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
