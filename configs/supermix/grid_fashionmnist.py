# SuperMix online in the grid of docs/evidence.md: masks are solved for each batch
_base_ = '../simple/grid_fashionmnist.py'

setting = '{{$DATASET:fashionmnist}}_{{$NUM_IMAGES:1000}}_{{$NET:wrn16_1}}_{{$TEACHER:same}}'
teacher = 'configs/simple/teacher_grid_fashionmnist.py'
checkpoint = f'work_dirs/simple/teacher_grid_fashionmnist/{setting}/last.pth'
requires = [dict(config=teacher, produces=checkpoint)]

model = dict(
    train_cfg=dict(
        augments=dict(
            type='SuperMix',
            teacher=dict(config=teacher, checkpoint=checkpoint, channels_last=True),
            num_mix=2,
        )
    )
)
