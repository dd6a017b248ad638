# VGG-16 for ImageNet without batch norms, as torchvision has it; takes 224 pixels alone.
# SuperMix says "VGG16" and no more. Its logits are no linear layer on pooled features, so saliency
# comes from Grad-CAM.
# Used in: SuperMix Table 4
model = dict(
    type='ImageClassifier',
    backbone=dict(type='VGG', depth=16, num_classes=1000),
    head=dict(type='ClsHead'),
)
