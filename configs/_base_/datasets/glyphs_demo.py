# Glyphs for the demo: ten classes and large objects. Training images have four drawing styles, and
# the validation and the test one of their own.
_base_ = './glyphs.py'

easy = dict(num_classes=10, object_size=(0.5, 0.8), clutter=3)

data_preprocessor = dict(num_classes=10)
train_dataloader = dict(dataset=dict(num_images=1000, **easy))
val_dataloader = dict(dataset=dict(num_images=1000, **easy))
test_dataloader = dict(dataset=easy)
val_evaluator = dict(topk=(1,))
test_evaluator = val_evaluator
