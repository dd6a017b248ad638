# TransformMix Table 2, ImageNet, ResNet-50, "AugMix": 76.75 / 93.30 top-1 / top-5. Phase 1, see
# simple/resnet50_imagenet.py. 4 GPUs x 256.
# Ours: as in resnet50_imagenet.py.
_base_ = '../simple/resnet50_imagenet_phase1.py'
model = dict(type='AugMixClassifier', jsd_weight=12.0)

train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='AugMix', severity=1, width=3, depth=-1, alpha=1.0),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
