# SuperMix Tables 2, 3 and 5, "Student": without a teacher. Printed: WRN-40-2 to WRN-16-2, the
# default, 73.26; ImageNet 69.75 / 89.07; all in README.md. 1 GPU x 64 (ImageNet: 256).
_base_ = 'pairs/{{$PAIR:wrn40_2_wrn16_2}}.py'
work_dir = f'work_dirs/distill/student/{_base_.pair}'
