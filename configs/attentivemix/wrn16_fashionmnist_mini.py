# Attentive CutMix at the budget of transformmix/wrn16_fashionmnist_mini
_base_ = '../simple/wrn16_fashionmnist_mini.py'

teacher = 'configs/simple/wrn16_fashionmnist_mini.py'
checkpoint = 'work_dirs/simple/wrn16_fashionmnist_mini/last.pth'
requires = [dict(config=teacher, produces=checkpoint)]

model = dict(
    train_cfg=dict(
        augments=dict(type='AttentiveMix', teacher=dict(config=teacher, checkpoint=checkpoint))
    )
)
