# The first `NUM_IMAGES` of scikit-learn's digits (1000 by default), enlarged to 28x28, for the
# experiments of docs/evidence.md; those from 1,000 on are the test images.
_base_ = []
from mmtmix.recipes import variant

num_images = variant('NUM_IMAGES', 1000, 5000, 20000)
split = variant('SPLIT', 'test', 'validation')
if num_images > 1000:
    raise ValueError(f'NUM_IMAGES of digits must be 1000, got {num_images}')
if split != 'test':
    raise ValueError(f'SPLIT of digits must be test: nothing is chosen on them, got {split!r}')
# of the enlarged and cropped training images
data_preprocessor = dict(num_classes=10, mean=[77.0], std=[91.2], to_rgb=False)

enlarge = dict(type='Resize', scale=28, interpolation='bicubic')
# no flips: they make other figures
train_pipeline = [
    enlarge,
    dict(type='RandomCrop', crop_size=28, padding=2),
    dict(type='PackInputs'),
]
test_pipeline = [enlarge, dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='Digits', split='train', indices=num_images, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=250,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='Digits', split=split, pipeline=test_pipeline),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
