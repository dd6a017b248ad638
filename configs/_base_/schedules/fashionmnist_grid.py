# ours, for CPU cores: one cycle of `STEPS` steps of 64 images (1560 by default: 104, 20 or 5
# epochs of 1,000, 5,000 or 20,000 images), in bfloat16, or in float32 on a CPU that emulates it: a
# run's record says which, and only runs of one precision are compared seed by seed. Nothing is
# mixed in the last `CLEAN` % of the steps.
_base_ = []
from mmtmix.recipes import variant

steps, clean_share = variant('STEPS', 1560, kind=int), variant('CLEAN', 0, kind=int)
epochs = steps // (variant('NUM_IMAGES', 1000, 5000, 20000) // 64)
clean_epochs = epochs * clean_share // 100
if epochs < 1 or not 0 <= clean_share <= 100:
    raise ValueError(f'STEPS={steps} must be an epoch or more, and CLEAN={clean_share} in 0..100')

optim_wrapper = dict(
    type='AutocastOptimWrapper',
    optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True),
)
param_scheduler = dict(
    type='OneCycleLR', eta_max=0.1, total_steps=epochs, by_epoch=True, convert_to_iter_based=True
)
train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=epochs)
val_cfg = dict()
test_cfg = dict()
custom_hooks = [dict(type='ChannelsLastHook')]
if clean_epochs:
    # `None` would leave MMPretrain's data preprocessor without what it asks for
    nothing = dict(augments=dict(type='Mixup', alpha=1.0), probs=[0.0])
    custom_hooks.append(
        dict(
            type='SwitchRecipeHook',
            schedule=[dict(action_epoch=epochs - clean_epochs + 1, batch_augments=nothing)],
        )
    )
