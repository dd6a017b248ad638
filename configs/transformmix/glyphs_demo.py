# The demo: TransformMix on 1,000 images of Glyphs, from nothing, on two CPU cores. Every other
# batch on average is mixed.
_base_ = '../simple/glyphs_demo.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/glyphs_demo.py', 'last.pth')
search = stage('configs/transformmix/search_glyphs_demo.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher), probs=[0.5]))
