# SuperMix Tables 2 and 3, KD with ImgNet32: as ce_imgnet32.py. Printed: WRN-40-2 to WRN-16-2, the
# default, 76.52; all in README.md. 1 GPU x 128 clean + 128 of ImageNet32, which is in
# data/imagenet32; for the pairs on CIFAR-100.
_base_ = './ce_imgnet32.py'

from mmtmix.recipes import distill

custom_hooks = [distill('kd_mixed', _base_.teacher, dataset=_base_.images)]
