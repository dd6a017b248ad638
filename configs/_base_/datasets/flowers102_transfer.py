# Flowers-102 for the transfer experiments: batch 64, crops of 224, test at 256/224; trains on the
# official 2,040 of train and val, tests on the official 6,149
# Used in: TransformMix Table 3
_base_ = './imagenet_supermix.py'
data_preprocessor = dict(num_classes=102)

images = dict(type='Flowers102', data_root='data/flowers102')
loading = dict(batch_size=64, num_workers=4)
train_dataloader = dict(**loading, dataset=dict(**images, split='trainval'))
val_dataloader = dict(**loading, dataset=dict(**images, split='test'))
test_dataloader = val_dataloader
