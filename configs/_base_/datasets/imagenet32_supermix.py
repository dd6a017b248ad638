# ImageNet32 without labels, SuperMix's rival (ImgNet32) to mixed images for distilling students
# on CIFAR-100: prepared as CIFAR-100's images are, batch 128, tested on CIFAR-100. A loss that
# needs labels cannot train on it; with_label=True gives ImageNet32's own 1,000 classes.
# Used in: SuperMix Tables 2, 3, Figure 5
_base_ = './cifar100_supermix.py'

train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        _delete_=True,
        type='ImageNet32',
        data_root='data/imagenet32',
        split='train',
        with_label=False,
        pipeline=_base_.train_pipeline,
    ),
)
