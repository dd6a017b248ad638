# TransformMix Table 2, CIFAR-100, PreActResNet-18, "AugMix": 75.31 / 91.62 top-1 / top-5 (from
# PuzzleMix's paper; the median over the last 10 epochs there). 1 GPU x 100.
# Ours, since neither paper gives AugMix's settings here: those of its own paper on CIFAR
# (severity 3, 3 chains, Jensen-Shannon weight 12). A step sees three views of each image.
_base_ = '../simple/preactresnet18_cifar100.py'
model = dict(type='AugMixClassifier', jsd_weight=12.0)

train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='AugMix', severity=3, width=3, depth=-1, alpha=1.0),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
