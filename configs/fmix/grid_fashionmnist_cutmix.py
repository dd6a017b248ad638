# FMix on half of the batches and CutMix on the others, in the grid of docs/evidence.md
_base_ = './grid_fashionmnist.py'
fmix = dict(_base_.model.train_cfg.augments)
augments = [fmix, dict(type='SampleCutMix')]
model = dict(train_cfg=dict(_delete_=True, augments=augments, probs=[0.5, 0.5]))
