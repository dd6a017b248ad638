# TransformMix Table 3, fine-tuned ResNet-50, "TransformMix": 98.16 +- 0.06 / 99.87 +- 0.06,
# 93.34 +- 0.13 / 99.50 +- 0.04, 82.11 +- 0.47 / 96.48 +- 0.18, 72.36 +- 0.35 / 93.12 +- 0.16
# top-1 / top-5 on Flowers, Pets, Cars and Aircraft.
# The data set is `DATASET`: flowers102 (the default), pets, cars, aircraft, or flowers102_818,
# with as many test images as the printed figures of Flowers fit. 1 GPU x 64.
# The CAMs are of the pre-trained ResNet-50 (section 4.3); its classes are others, so they are of
# the class that it predicts. Its file is converted, see simple/resnet50_imagenet_torchvision.py.
# The mixing module is from Tiny-ImageNet, as section 4.3 says. The caption says CIFAR-100:
#     --work-dir work_dirs/transformmix/resnet50_transfer/flowers102_from_cifar100 --cfg-options \
#       requires.1.config=configs/transformmix/search_wrn28_cifar100.py \
#       requires.1.produces=work_dirs/transformmix/search_wrn28_cifar100/mixer.pth \
#       model.train_cfg.augments.mixer=work_dirs/transformmix/search_wrn28_cifar100/mixer.pth
_base_ = '../simple/resnet50_transfer.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/resnet50_imagenet_torchvision.py', 'last.pth')
search = stage('configs/transformmix/search_preactresnet18_tinyimagenet.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher, cam_class='predicted')))
