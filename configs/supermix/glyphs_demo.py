# SuperMix online on the images of the demo: masks are solved for each batch.
_base_ = '../simple/glyphs_demo.py'

from mmtmix.recipes import stage, supermix

teacher = stage('configs/simple/glyphs_demo.py', 'last.pth')
requires = [teacher]
model = dict(train_cfg=dict(augments=supermix(teacher, solver='paper'), probs=[0.5]))
