# TransformMix in the grid of docs/evidence.md, with the mixing module of the search `SEARCH`, or
# the one in the file `MIXER`, searched on other images
_base_ = '../simple/grid_fashionmnist.py'

setting = '{{$DATASET:fashionmnist}}_{{$NUM_IMAGES:1000}}_{{$NET:wrn16_1}}_{{$TEACHER:same}}'
teacher = 'configs/simple/teacher_grid_fashionmnist.py'
checkpoint = f'work_dirs/simple/teacher_grid_fashionmnist/{setting}/last.pth'
search = 'configs/transformmix/search_grid_fashionmnist.py'
saliency, name = '{{$SALIENCY:cam}}', '{{$SEARCH:noisy}}'
mixer = f'work_dirs/transformmix/search_grid_fashionmnist/{setting}_{saliency}_{name}/mixer.pth'
requires = [dict(config=teacher, produces=checkpoint), dict(config=search, produces=mixer)]
if '{{$MIXER:searched}}' != 'searched':
    mixer = '{{$MIXER:searched}}'
    requires.pop()

model = dict(
    train_cfg=dict(
        augments=dict(
            type='TransformMix',
            mixer=mixer,
            teacher=dict(
                config=teacher, checkpoint=checkpoint, saliency=saliency, channels_last=True
            ),
            num_mix=2,
            alpha=1.0,
            cam_class='target',
            labels='given',
        )
    )
)
