# ResNet-200: 64.7 million parameters
# Used in: SuperMix Table 1
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='DeepResNet', depth=200), head=dict(num_classes=1000, in_channels=2048)
)
