# TransformMix's search for mixes of three images of Tiny-ImageNet, Table 7 (66.03 / 85.16) and
# section 4.1: 100 epochs, batch 128. 1 GPU x 128.
# Ours: the module works on CAMs as large as the images; momentum 0.9, which the paper doesn't
# state; a validation every 10 epochs.
_base_ = './search_preactresnet18_tinyimagenet.py'
model = dict(mixer=dict(num_mix=3))
