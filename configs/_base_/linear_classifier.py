# A backbone whose pooled features one linear layer classifies; files in models add the backbone.
# 100 classes, as CIFAR-100 has them, where a file names no other number.
model = dict(
    type='ImageClassifier',
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100),
)
