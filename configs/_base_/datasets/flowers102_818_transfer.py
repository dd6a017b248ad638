# Flowers-102 with 818 test images, the size that TransformMix's Table 3 fits; which images those
# were is not known, so this division is our own (see Flowers102Split818)
# Used in: TransformMix Table 3
_base_ = ['./flowers102_transfer.py']

train_dataloader = dict(dataset=dict(type='Flowers102Split818'))
val_dataloader = dict(dataset=dict(type='Flowers102Split818'))
test_dataloader = val_dataloader
