# TransformMix Table 2, ImageNet, ResNet-50, "AugMix": 76.75 / 93.30 top-1 / top-5. Phases 2 and
# 3, see simple/resnet50_imagenet.py. 4 GPUs x 112.
# Ours: the settings of AugMix's own code on ImageNet (severity 1, 3 chains, Jensen-Shannon
# weight 12). A step sees three views of each image.
_base_ = '../simple/resnet50_imagenet.py'

from mmtmix.recipes import stage

model = dict(type='AugMixClassifier', jsd_weight=12.0)

train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='AugMix', severity=1, width=3, depth=-1, alpha=1.0),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

phase1 = stage('configs/augmix/resnet50_imagenet_phase1.py', 'last.pth')
requires = [phase1]
load_from = phase1['produces']
