# CIFAR-100 in PuzzleMix's recipe (batch 100, padding 2), which TransformMix follows
# Used in: TransformMix Tables 2, 4, 8, Figure 7
_base_ = './cifar100_supermix.py'
data_preprocessor = dict(mean=[129.3, 124.1, 112.4], std=[68.2, 65.4, 70.4])

train_pipeline = [
    dict(type='RandomCrop', crop_size=32, padding=2),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=100, dataset=dict(pipeline=train_pipeline))
