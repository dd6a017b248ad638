"""Texts of the configs."""

from __future__ import annotations

TEACHER = """\
# {title}: a classifier without mixing, which is also the teacher of the others.
# Written by `{command}`. Run it from the same folder as that command.
_base_ = 'mmtmix::_base_/default_runtime.py'
work_dir = 'work_dirs/{name}/teacher'

{model}
data_preprocessor = dict(
    num_classes={num_classes},
    # {stats}
    mean={mean},
    std={std},
    # images are read as BGR
    to_rgb=True,
)

train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
{train_steps}
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='ResizeEdge', scale={test_edge}, edge='short'),
    dict(type='CenterCrop', crop_size={size}),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size={batch_size},
    num_workers={workers},
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CustomDataset',
{train_data}
        classes='{out}/classes.txt',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size={batch_size},
    num_workers={workers},
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CustomDataset',
{val_data}
        classes='{out}/classes.txt',
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type='Accuracy', topk={topk})
test_dataloader = val_dataloader
test_evaluator = val_evaluator

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr={lr}, momentum=0.9, weight_decay=1e-4, nesterov=True)
)
param_scheduler = dict(
    type='CosineAnnealingLR', T_max={epochs}, eta_min=0, by_epoch=True, convert_to_iter_based=True
)
train_cfg = dict(by_epoch=True, max_epochs={epochs}, val_interval={val_interval})
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size={batch_size})
"""

SEARCH = """\
# {title}: the search of TransformMix's mixing module with the teacher, which is trained first.
# The settings are the library's, not the paper's:
# https://mmtmix.github.io/mmtmix/latest/evidence/
_base_ = './teacher.py'
work_dir = 'work_dirs/{name}/search'

teacher = '{out}/teacher.py'
checkpoint = 'work_dirs/{name}/teacher/last.pth'
requires = [dict(config=teacher, produces=checkpoint)]

model = dict(
    _delete_=True,
    type='MixerSearch',
    teacher=dict(config=teacher, checkpoint=checkpoint),
    mixer=dict(type='TransformMixer', num_mix=2, cam_size={cam_size}),
    alpha=1.0,
)
train_dataloader = dict(drop_last=True)
# folders list their images class by class, and MixQuality mixes neighbours
val_dataloader = dict(sampler=dict(shuffle=True, seed=0))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
optim_wrapper = dict(
    _delete_=True,
    optimizer=dict(type='Adam', lr=1e-3),
    clip_grad=dict(max_norm=1.0),
    # the corners of images move slowly
    paramwise_cfg=dict(custom_keys={{'stn.localization': dict(lr_mult=0.1)}}),
)
param_scheduler = None
train_cfg = dict(
    _delete_=True, type='MixerSearchLoop', max_epochs={search_epochs}, val_interval={interval}
)
"""

TRANSFORMMIX = """\
# {title}: training with TransformMix. The teacher and the mixing module are trained first.
_base_ = './teacher.py'
work_dir = 'work_dirs/{name}/transformmix'

teacher = '{out}/teacher.py'
checkpoint = 'work_dirs/{name}/teacher/last.pth'
search = '{out}/search.py'
mixer = 'work_dirs/{name}/search/mixer.pth'
requires = [dict(config=teacher, produces=checkpoint), dict(config=search, produces=mixer)]

model = dict(
    train_cfg=dict(
        augments=dict(
            type='TransformMix',
            mixer=mixer,
            teacher=dict(config=teacher, checkpoint=checkpoint),
            num_mix=2,
            alpha=1.0,
        ),
        probs=[0.5],  # mixes every other batch on average; without it all are mixed
    )
)
"""

# in place of TRANSFORMMIX, if a mixing module is given
MODULE = """\
# {title}: training with TransformMix by a given mixing module, without a search.
{about_teacher}
_base_ = './teacher.py'
work_dir = 'work_dirs/{name}/transformmix'

{teacher_lines}

model = dict(
    train_cfg=dict(
        augments=dict(
            type='TransformMix',
            mixer={mixer!r},
            teacher=dict(config=teacher, checkpoint=checkpoint),
            num_mix={num_mix},
            alpha=1.0,
{cam_class}        ),
        probs=[0.5],  # mixes every other batch on average; without it all are mixed
    )
)
"""

OWN_TEACHER = (
    '# The teacher is trained first.',
    """\
teacher = '{out}/teacher.py'
checkpoint = 'work_dirs/{name}/teacher/last.pth'
requires = [dict(config=teacher, produces=checkpoint)]""",
    '',
)
GIVEN_TEACHER = (
    '# The teacher is a classifier that was trained before, maybe on other classes.',
    """\
teacher = {config!r}
checkpoint = {checkpoint!r}""",
    """\
            # activation maps of what the teacher sees, whatever its classes are
            cam_class='predicted',
""",
)

CUTMIX = """\
# {title}: training with CutMix, for comparison.
_base_ = './teacher.py'
work_dir = 'work_dirs/{name}/cutmix'
model = dict(
    train_cfg=dict(
        augments=dict(type='CutMix', alpha=1.0),
        probs=[0.5],  # mixes every other batch on average; without it all are mixed
    )
)
"""

FILES = {
    'teacher.py': TEACHER,
    'search.py': SEARCH,
    'transformmix.py': TRANSFORMMIX,
    'cutmix.py': CUTMIX,
}
