# SuperMix online in the grid of docs/evidence.md: masks are solved for each batch
_base_ = '../simple/grid_fashionmnist.py'
from mmtmix.recipes import stage, supermix, teacher_from

teacher = stage('configs/simple/teacher_grid_fashionmnist.py', 'last.pth', STEPS=1560, CLEAN=0)
requires = [teacher]

model = dict(
    train_cfg=dict(augments=supermix(teacher_from(teacher, channels_last=True), solver='paper'))
)
