# SuperMix Table 1, ImageNet, ResNet-50, "RA": 77.6 / 93.8 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands).
# Ours: see schedules/supermix_270e.py and datasets/imagenet_randaugment.py.
_base_ = [
    '../_base_/models/resnet50_imagenet.py',
    '../_base_/datasets/imagenet_randaugment.py',
    '../_base_/schedules/supermix_270e.py',
    '../_base_/default_runtime.py',
]
