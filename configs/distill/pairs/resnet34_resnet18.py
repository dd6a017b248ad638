# SuperMix Table 5, ResNet-34 (73.31 / 91.42 top-1 / top-5) teaches ResNet-18 (69.75 / 89.07
# alone), ImageNet: KD 70.66 / 89.88, CRD 71.17 / 90.13; of two images: CE with MixUp 73.03 /
# 91.27, CutMix 73.18 / 91.36, SuperMix 73.42 / 91.51; KD with MixUp 73.29 / 91.44, CutMix 73.33 /
# 91.44, SuperMix 73.62 / 91.66. Means of 4 runs.
_base_ = [
    '../../_base_/models/resnet18_imagenet.py',
    '../../_base_/datasets/imagenet_supermix.py',
    '../../_base_/schedules/distill_imagenet.py',
    '../../_base_/default_runtime.py',
]

pair = 'resnet34_resnet18'
teacher = dict(
    config='configs/distill/teacher_resnet34_imagenet.py',
    checkpoint='work_dirs/distill/teacher_resnet34_imagenet/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_resnet34_imagenet_k2'
mixed_run = dict(
    config='configs/supermix/generate_resnet34_imagenet_k2.py',
    produces=f'{mixed_root}/dataset.json',
)
