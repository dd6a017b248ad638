# TransformMix Table 9, Tiny-ImageNet, ResNet-18, AutoMix protocol, "PuzzleMix": 65.81 top-1
# (from AutoMix; the median over the last 10 epochs there). 1 GPU x 100.
# As in OpenMixup's public config whole blocks move (t_size -1), of which there are 2, 4 or 8 per
# side. Ours: weights for each sample.
_base_ = '../simple/resnet18_tinyimagenet.py'
model = dict(
    train_cfg=dict(augments=dict(type='PuzzleMix', alpha=1.0, block_num=[2, 4, 8], t_size=-1))
)
custom_hooks = [dict(type='LiveModelHook')]
