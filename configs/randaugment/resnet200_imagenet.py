# SuperMix Table 1, ImageNet, ResNet-200, "RA": 80.4 / 95.3 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands).
# Ours: N = 2, M = 9, RandAugment's for ResNet-50; it has no ResNet-200. The rest: see
# schedules/supermix_270e.py and datasets/imagenet_randaugment.py.
_base_ = [
    '../_base_/models/resnet200_imagenet.py',
    '../_base_/datasets/imagenet_randaugment.py',
    '../_base_/schedules/supermix_270e.py',
    '../_base_/default_runtime.py',
]
