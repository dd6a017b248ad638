# The demo: TransformMix on 1,000 images of Fashion-MNIST, from nothing, on two CPU cores. Every
# other batch on average is mixed, as in the experiments of docs/evidence.md.
_base_ = '../simple/wrn10_fashionmnist_demo.py'

teacher = 'configs/simple/wrn10_fashionmnist_demo.py'
checkpoint = 'work_dirs/simple/wrn10_fashionmnist_demo/last.pth'
search = 'configs/transformmix/search_wrn10_fashionmnist_demo.py'
mixer = 'work_dirs/transformmix/search_wrn10_fashionmnist_demo/mixer.pth'
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
