# CAMMix in the grid of docs/evidence.md: masks from the noisy saliency `SALIENCY` of the teacher
# that TransformMix has there, and no search
_base_ = '../simple/grid_fashionmnist.py'
from mmtmix.recipes import stage, teacher_from, variant

saliency = variant('SALIENCY', 'cam', 'grad_cam', 'input_gradient')
teacher = stage('configs/simple/teacher_grid_fashionmnist.py', 'last.pth', STEPS=1560, CLEAN=0)
requires = [teacher]
model = dict(
    train_cfg=dict(
        augments=dict(
            type='CAMMix',
            teacher=teacher_from(teacher, saliency=saliency, channels_last=True),
            # written out, so that results don't depend on the library's defaults
            temperature=0.5,
            noise=0.5,
            noise_size=4,
            anchor='area',
            mask_size=16,
            alpha=1.0,
        )
    )
)
