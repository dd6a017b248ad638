# SuperMix Table 1, ImageNet, ResNet-200, "AA": 80.0 / 95.0 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands).
# Ours: see schedules/supermix_270e.py and datasets/imagenet_autoaugment.py.
_base_ = [
    '../_base_/models/resnet200_imagenet.py',
    '../_base_/datasets/imagenet_autoaugment.py',
    '../_base_/schedules/supermix_270e.py',
    '../_base_/default_runtime.py',
]
