# CIFAR-10 in PuzzleMix's recipe (batch 100, padding 2), which TransformMix follows
# Used in: TransformMix Tables 4, 6, 8
_base_ = './cifar100_puzzle.py'
data_preprocessor = dict(num_classes=10, mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7])

images = dict(type='CIFAR10', data_root='data/cifar10')
train_dataloader = dict(dataset=images)
val_dataloader = dict(dataset=images)
test_dataloader = val_dataloader
