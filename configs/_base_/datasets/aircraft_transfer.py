# FGVC-Aircraft (variants) for the transfer experiments: batch 64, crops of 224, test at 256/224
# Used in: TransformMix Table 3
_base_ = './flowers102_transfer.py'
data_preprocessor = dict(num_classes=100)

images = dict(type='FGVCAircraft', data_root='data/aircraft')
train_dataloader = dict(dataset=dict(**images, split='trainval'))
val_dataloader = dict(dataset=images)
test_dataloader = val_dataloader
