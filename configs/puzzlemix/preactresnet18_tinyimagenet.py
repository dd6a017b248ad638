# TransformMix Table 2, Tiny-ImageNet, PreActResNet-18, "PuzzleMix": 63.48 / 81.05 top-1 / top-5.
# 1 GPU x 100.
# As its public command has it whole blocks move (t_size -1) and the clean images are learned
# beside the mixed ones (clean_lam 1). Ours: weights for each sample, where its code draws one for
# each batch.
_base_ = '../simple/preactresnet18_tinyimagenet.py'
saliency = dict(type='InputGradient', clean_lam=1.0)
puzzle = dict(type='PuzzleMix', alpha=1.0, t_size=-1, saliency=saliency)
model = dict(train_cfg=dict(augments=puzzle))
custom_hooks = [dict(type='LiveModelHook')]
