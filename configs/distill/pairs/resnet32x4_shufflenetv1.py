# SuperMix Table 3, ResNet-32x4 (79.42) teaches ShuffleNetV1 (70.50 alone), CIFAR-100: KD 74.07,
# CRD 75.11; CE with ImgNet32 76.80, MixUp 78.16, CutMix 77.89, SuperMix 78.47; KD with ImgNet32
# 76.87, MixUp 78.22, CutMix 77.92, SuperMix 78.51. Means of 4 runs.
_base_ = [
    '../../_base_/models/shufflenetv1_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

# a fifth for this student, in both recipes
optim_wrapper = dict(optimizer=dict(lr=0.01))
mixed_recipe = dict(optim_wrapper=dict(optimizer=dict(lr=0.02)))

pair = 'resnet32x4_shufflenetv1'
teacher = dict(
    config='configs/distill/teacher_resnet32x4_cifar100.py',
    checkpoint='work_dirs/distill/teacher_resnet32x4_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_resnet32x4_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_resnet32x4_cifar100.py',
    produces=f'{mixed_root}/dataset.json',
)
