# TransformMix on half of the batches and CutMix on the others, in the grid of docs/evidence.md
_base_ = './grid_fashionmnist.py'
transformmix = dict(_base_.model.train_cfg.augments)
augments = [transformmix, dict(type='SampleCutMix')]
model = dict(train_cfg=dict(_delete_=True, augments=augments, probs=[0.5, 0.5]))
if _base_.warm_up:
    raise ValueError(
        f'WARM_UP is {_base_.warm_up}, but TransformMix beside CutMix has no warm-up: leave it out'
    )
