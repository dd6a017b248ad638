# Glyphs as in glyphs.py, 48x48: the same scenes with more pixels.
_base_ = './glyphs.py'

train_pipeline = [
    dict(
        type='CarryMask',
        transforms=[
            dict(type='RandomCrop', crop_size=48, padding=3),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        ],
    ),
    _base_.pack,
]

train_dataloader = dict(dataset=dict(size=48, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(size=48))
test_dataloader = dict(dataset=dict(size=48))
