# SuperMix Table 3, WRN-40-2 (75.61) teaches ShuffleNetV1 (70.50 alone), CIFAR-100: KD 74.83, CRD
# 76.05; CE with ImgNet32 75.87, MixUp 77.29, CutMix 77.50, SuperMix 77.92; KD with ImgNet32 76.23,
# MixUp 77.44, CutMix 77.65, SuperMix 78.07. Means of 4 runs.
# TransformMix Table 10 on the same pair: teacher 75.59, alone 69.24, MixUp 76.24, TransformMix
# 76.76.
_base_ = [
    '../../_base_/models/shufflenetv1_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

# a fifth for this student, in both recipes
optim_wrapper = dict(optimizer=dict(lr=0.01))
mixed_recipe = dict(optim_wrapper=dict(optimizer=dict(lr=0.02)))

pair = 'wrn40_2_shufflenetv1'
teacher = dict(
    config='configs/distill/teacher_wrn40_2_cifar100.py',
    checkpoint='work_dirs/distill/teacher_wrn40_2_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_wrn40_2_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_wrn40_2_cifar100.py', produces=f'{mixed_root}/dataset.json'
)
mixer_run = dict(
    config='configs/transformmix/search_wrn40_2_cifar100.py',
    produces='work_dirs/transformmix/search_wrn40_2_cifar100/mixer.pth',
)
