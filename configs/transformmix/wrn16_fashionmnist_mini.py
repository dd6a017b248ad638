# TransformMix on 5,000 images of Fashion-MNIST, from nothing, on two CPU cores. Every other batch
# on average is mixed, as in the experiments of docs/evidence.md.
_base_ = '../simple/wrn16_fashionmnist_mini.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/wrn16_fashionmnist_mini.py', 'last.pth')
search = stage('configs/transformmix/search_wrn16_fashionmnist_mini.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher), probs=[0.5]))
