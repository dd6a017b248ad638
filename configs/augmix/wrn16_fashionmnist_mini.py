# AugMix at the budget of transformmix/wrn16_fashionmnist_mini;
# a step sees three views of each image
_base_ = '../simple/wrn16_fashionmnist_mini.py'
model = dict(type='AugMixClassifier', jsd_weight=12.0)

train_pipeline = [
    dict(type='RandomCrop', crop_size=28, padding=2),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='AugMix', severity=3, width=3, depth=-1, alpha=1.0),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
