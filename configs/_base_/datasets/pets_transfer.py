# Oxford-IIIT Pet for the transfer experiments: batch 64, crops of 224, test at 256/224
# Used in: TransformMix Table 3
_base_ = './flowers102_transfer.py'
data_preprocessor = dict(num_classes=37)

images = dict(type='OxfordIIITPet', data_root='data/pets')
train_dataloader = dict(dataset=dict(**images, split='trainval'))
val_dataloader = dict(dataset=images)
test_dataloader = val_dataloader
