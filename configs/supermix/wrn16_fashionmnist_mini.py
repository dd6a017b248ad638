# SuperMix online, on 5,000 images of Fashion-MNIST: masks are solved for each batch.
_base_ = '../simple/wrn16_fashionmnist_mini.py'

from mmtmix.recipes import stage, supermix

teacher = stage('configs/simple/wrn16_fashionmnist_mini.py', 'last.pth')
requires = [teacher]
model = dict(train_cfg=dict(augments=supermix(teacher, solver='paper')))
