# SuperMix Table 2, WRN-40-2 (75.61) teaches WRN-16-2 (73.26 alone), CIFAR-100: KD 74.92, CRD
# 75.48; CE with ImgNet32 74.91, MixUp 76.20, CutMix 76.40, SuperMix 76.93; KD with ImgNet32 76.52,
# MixUp 76.58, CutMix 76.81, SuperMix 77.45. Means of 4 runs.
_base_ = [
    '../../_base_/models/wrn16_2_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

pair = 'wrn40_2_wrn16_2'
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
