# CutMix on half of the batches in the fine-tuning of simple/lite0_fashionmnist_mini
_base_ = '../simple/lite0_fashionmnist_mini.py'
model = dict(train_cfg=dict(augments=dict(type='SampleCutMix'), probs=[0.5]))
