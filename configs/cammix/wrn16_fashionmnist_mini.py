# CAMMix at the budget of transformmix/wrn16_fashionmnist_mini
_base_ = '../simple/wrn16_fashionmnist_mini.py'

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/simple/wrn16_fashionmnist_mini.py', 'last.pth')
requires = [teacher]
model = dict(train_cfg=dict(augments=dict(type='CAMMix', teacher=teacher_from(teacher))))
