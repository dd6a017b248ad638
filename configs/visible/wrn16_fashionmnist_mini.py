# CutMix whose labels count what each image still shows, by the maps of a teacher, at the budget of
# cutmix/wrn16_fashionmnist_mini
_base_ = '../simple/wrn16_fashionmnist_mini.py'
from mmtmix.recipes import stage, visible_labels

teacher = stage('configs/simple/wrn16_fashionmnist_mini.py', 'last.pth')
requires = [teacher]
model = dict(
    train_cfg=dict(
        augments=dict(
            type='SampleCutMix', places='clipped', labels=visible_labels('refined', teacher)
        ),
        probs=[0.5],
    )
)
