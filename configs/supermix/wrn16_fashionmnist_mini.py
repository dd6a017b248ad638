# SuperMix online, on 5,000 images of Fashion-MNIST: masks are solved for each batch.
_base_ = '../simple/wrn16_fashionmnist_mini.py'

teacher = 'configs/simple/wrn16_fashionmnist_mini.py'
checkpoint = 'work_dirs/simple/wrn16_fashionmnist_mini/last.pth'
requires = [dict(config=teacher, produces=checkpoint)]

model = dict(
    train_cfg=dict(
        augments=dict(
            type='SuperMix', teacher=dict(config=teacher, checkpoint=checkpoint), num_mix=2
        )
    )
)
