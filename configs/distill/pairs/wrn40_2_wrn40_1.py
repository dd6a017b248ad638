# SuperMix Table 2, WRN-40-2 (75.61) teaches WRN-40-1 (71.98 alone), CIFAR-100: KD 73.54, CRD
# 74.14; CE with ImgNet32 74.80, MixUp 75.53, CutMix 75.85, SuperMix 76.11; KD with ImgNet32 75.70,
# MixUp 76.10, CutMix 76.45, SuperMix 76.53. Means of 4 runs.
_base_ = [
    '../../_base_/models/wrn40_1_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

pair = 'wrn40_2_wrn40_1'
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
