# SuperMix Tables 2 and 3, KD with ImgNet32: unlabelled images of ImageNet32, classified as the
# teacher does. Printed: WRN-40-2 to WRN-16-2, the default, 76.52; all in README.md. 1 GPU x 128
# clean + 128 of ImageNet32. Wants ImageNet32 in data/imagenet32; for the pairs on CIFAR-100.
# The warm-up is 5 epochs of ImageNet32, whose size the public code rounds down to 1,281,100:
# 50,045 iterations.
_base_ = 'pairs/{{$PAIR:wrn40_2_wrn16_2}}.py'
work_dir = f'work_dirs/distill/kd_imgnet32/{_base_.pair}'
requires = [_base_.teacher_run]
custom_hooks = [
    dict(
        type='DistillHook',
        preset='kd_mixed',
        teacher=_base_.teacher,
        mixed=dict(
            dataloader=dict(
                dataset=dict(
                    type='ImageNet32',
                    data_root='data/imagenet32',
                    split='train',
                    with_label=False,
                    pipeline=_base_.mixed_pipeline,
                )
            )
        ),
    )
]

optim_wrapper = _base_.mixed_recipe.optim_wrapper
warm_up, decay = _base_.mixed_recipe.param_scheduler
# 10,009 batches per epoch
param_scheduler = [dict(warm_up, end=5 * 10_009), decay]
train_cfg = _base_.mixed_recipe.train_cfg
train_dataloader = _base_.mixed_recipe.train_dataloader
auto_scale_lr = _base_.mixed_recipe.auto_scale_lr
