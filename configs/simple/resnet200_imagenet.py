# SuperMix Table 1, ImageNet, ResNet-200, "Base.": 78.5 / 94.2 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands). It is also the teacher that its own
# mixed images are made with, see supermix/resnet200_imagenet.py.
# Ours: see schedules/supermix_270e.py.
_base_ = [
    '../_base_/models/resnet200_imagenet.py',
    '../_base_/datasets/imagenet_supermix.py',
    '../_base_/schedules/supermix_270e.py',
    '../_base_/default_runtime.py',
]
