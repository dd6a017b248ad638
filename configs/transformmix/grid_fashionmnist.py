# TransformMix in the grid of docs/evidence.md, with the mixing module of the search `SEARCH` on
# the same images, or on those of `SEARCH_DATASET`. With `WARM_UP`, nothing is mixed in that first
# % of the epochs, and every other batch after them.
_base_ = '../simple/grid_fashionmnist.py'
from mmtmix.recipes import stage, teacher_from, transformmix, variant

warm_up = variant('WARM_UP', 0, kind=int)
saliency = variant('SALIENCY', 'cam', 'grad_cam', 'input_gradient')
elsewhere = variant('SEARCH_DATASET', None, 'fashionmnist', 'digits', 'scattered')
teacher = stage('configs/simple/teacher_grid_fashionmnist.py', 'last.pth', STEPS=1560, CLEAN=0)
search = stage(
    'configs/transformmix/search_grid_fashionmnist.py',
    'mixer.pth',
    **(dict(DATASET=elsewhere) if elsewhere else {}),
)
requires = [teacher, search]

model = dict(
    train_cfg=dict(
        augments=transformmix(
            search,
            teacher_from(teacher, saliency=saliency, channels_last=True),
            cam_class='target',
            labels='gt',
        )
    )
)
if not 0 <= warm_up <= 100:
    raise ValueError(f'WARM_UP must be a share in %, 0 to 100, got {warm_up}')
if warm_up:
    mixing = dict(augments=model['train_cfg']['augments'], probs=[0.5])
    nothing = dict(augments=dict(type='Mixup', alpha=1.0), probs=[0.0])  # as for a clean end
    custom_hooks = list(_base_.custom_hooks)
    # before a clean end: a resumed run switches in the order of the hooks
    custom_hooks.insert(
        1,
        dict(
            type='SwitchRecipeHook',
            schedule=[
                dict(action_epoch=1, batch_augments=nothing),
                dict(action_epoch=_base_.epochs * warm_up // 100 + 1, batch_augments=mixing),
            ],
        ),
    )
