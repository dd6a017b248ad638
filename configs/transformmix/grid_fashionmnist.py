# TransformMix in the grid of docs/evidence.md, with the mixing module of the search `SEARCH`, or
# the one in the file `MIXER`, searched on other images. With `WARM_UP`, nothing is mixed in that
# first % of the epochs, and every other batch after them.
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
if '{{$WARM_UP:0}}' != '0':
    mixing = dict(augments=model['train_cfg']['augments'], probs=[0.5])
    nothing = dict(augments=dict(type='Mixup', alpha=1.0), probs=[0.0])  # as for a clean end
    first = _base_.epochs * int('{{$WARM_UP:0}}') // 100 + 1
    custom_hooks = list(_base_.custom_hooks)
    # before a clean end: a resumed run switches in the order of the hooks
    custom_hooks.insert(
        1,
        dict(
            type='SwitchRecipeHook',
            schedule=[
                dict(action_epoch=1, batch_augments=nothing),
                dict(action_epoch=first, batch_augments=mixing),
            ],
        ),
    )
