# CAMMix on half of the batches in the fine-tuning of simple/lite0_fashionmnist_mini; the saliency
# is the CAM of the network that was fine-tuned without mixing
_base_ = '../simple/lite0_fashionmnist_mini.py'

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/simple/lite0_fashionmnist_mini.py', 'last.pth')
requires = [teacher]
augment = dict(type='CAMMix', teacher=teacher_from(teacher))
model = dict(train_cfg=dict(augments=augment, probs=[0.5]))
