# CIFAR-100 in SuperMix's distillation recipe (padding 4): batch 64 for teachers and for students
# without mixed images, 128 for students with them
# Used in: TransformMix Table 10; SuperMix Tables 1, 2, 3, 4, Figure 5
data_preprocessor = dict(
    num_classes=100,
    # RGB, as MMPretrain's CIFAR100 gives it
    mean=[129.3105, 124.1085, 112.404],
    std=[68.2125, 65.4075, 70.4055],
    to_rgb=False,
)

train_pipeline = [
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CIFAR100', data_root='data/cifar100', split='train', pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    batch_size=100,
    num_workers=2,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='CIFAR100', data_root='data/cifar100', split='test', pipeline=test_pipeline),
)
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
