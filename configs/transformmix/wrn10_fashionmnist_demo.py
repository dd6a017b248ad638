# The demo: TransformMix on 1,000 images of Fashion-MNIST, from nothing, on two CPU cores. Every
# other batch on average is mixed, as in the experiments of docs/evidence.md.
_base_ = '../simple/wrn10_fashionmnist_demo.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/wrn10_fashionmnist_demo.py', 'last.pth')
search = stage('configs/transformmix/search_wrn10_fashionmnist_demo.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher), probs=[0.5]))
