# SuperMix Tables 2 and 3, the teacher WRN-40-2: 75.61 top-1, and TransformMix Table 10 (75.59).
# 1 GPU x 64, CRD's 240 epochs.
# The papers' own is `--arch wrn_40_2` of CRD's zoo: converted to this run's last.pth it is used
# instead, see README.md.
_base_ = [
    '../_base_/models/wrn40_2_cifar100.py',
    '../_base_/datasets/cifar100_supermix.py',
    '../_base_/schedules/distill_cifar100.py',
    '../_base_/default_runtime.py',
]
