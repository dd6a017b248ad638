# Glyphs, 32x32: 100 classes of icons on clutter. Training images have four drawing styles. The
# validation has a fifth, on which settings are chosen, and the test a sixth. Each sample has the
# visible pixels of its objects, `gt_mask`.
data_preprocessor = dict(
    num_classes=100, mean=[137.9, 124.5, 109.2], std=[60.7, 48.0, 53.0], to_rgb=False
)

pack = dict(type='PackInputs', meta_keys=('sample_idx', 'gt_mask'))
train_pipeline = [
    dict(
        type='CarryMask',
        transforms=[
            dict(type='RandomCrop', crop_size=32, padding=2),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        ],
    ),
    pack,
]
test_pipeline = [pack]

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='Glyphs', split='train', num_images=3000, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=250,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='Glyphs', split='val', num_images=1000, pipeline=test_pipeline),
)
test_dataloader = dict(
    batch_size=250,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='Glyphs', split='test', num_images=2000, pipeline=test_pipeline),
)
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_evaluator = val_evaluator
