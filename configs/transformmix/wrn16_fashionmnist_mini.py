# TransformMix on 5,000 images of Fashion-MNIST, from nothing, on two CPU cores. Every other batch
# on average is mixed, as in the experiments of docs/evidence.md.
_base_ = '../simple/wrn16_fashionmnist_mini.py'

teacher = 'configs/simple/wrn16_fashionmnist_mini.py'
checkpoint = 'work_dirs/simple/wrn16_fashionmnist_mini/last.pth'
search = 'configs/transformmix/search_wrn16_fashionmnist_mini.py'
mixer = 'work_dirs/transformmix/search_wrn16_fashionmnist_mini/mixer.pth'
requires = [dict(config=teacher, produces=checkpoint), dict(config=search, produces=mixer)]

model = dict(
    train_cfg=dict(
        augments=dict(
            type='TransformMix',
            mixer=mixer,
            teacher=dict(config=teacher, checkpoint=checkpoint),
            num_mix=2,
            alpha=1.0,
        ),
        probs=[0.5],
    )
)
