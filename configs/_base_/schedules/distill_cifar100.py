# SuperMix's two recipes for distilling on CIFAR-100. At the top, that of teachers and of students
# without mixed images, which is CRD's: 240 epochs at batch 64. `mixed_recipe` is that of students
# with mixed images, section 4.2: 600 epochs at batch 128; recipes.student_of puts it in place.
# Epochs are those of the clean images in both, 600 x 391 iterations with mixed ones, however many
# of them there are: they come from a second loader that doesn't end. That is what the paper means
# by epochs of the mixed data that scale with 1/kappa: 500,000 images, kappa 10, are seen 60 times.
# The warm-up is not scaled by kappa. In the public code it takes 5 epochs of the mixed set, which
# are counted in iterations here: 19,535 of batch 128 for 500,000 images. For a set of another size
# set param_scheduler.0.end. Ours: the warm-up of images that are mixed online is as long, since
# the paper generated sets of them; and it starts at a thousandth, since MMEngine's cannot start
# at 0.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4))
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[150, 180, 210], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=240, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=64)

mixed_recipe = dict(
    optim_wrapper=dict(optimizer=dict(lr=0.1)),
    param_scheduler=[
        dict(
            type='LinearLR',
            start_factor=1e-3,
            by_epoch=False,
            begin=0,
            # 3,907 batches per epoch of 500,000 images
            end=5 * 3907,
        ),
        dict(type='MultiStepLR', by_epoch=True, milestones=[200, 300, 400, 500], gamma=0.1),
    ],
    train_cfg=dict(max_epochs=600),
    train_dataloader=dict(batch_size=128),
    auto_scale_lr=dict(base_batch_size=128),
)
# of images that were mixed, or come from elsewhere: cropped less than clean ones
mixed_pipeline = [
    dict(type='RandomCrop', crop_size=32, padding=2),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
