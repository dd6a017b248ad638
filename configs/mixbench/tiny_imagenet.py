# MixBench, Tiny-ImageNet: OpenMixup's table of `METHOD` for `NETWORK` (resnet18, resnext50) after
# 400 epochs; printed are medians of the last 10 epochs. 1 GPU x 100.
# Its rows of transformmix and supermix are ours: it has none. They train first what they require.
#     mmtmix train configs/mixbench/tiny_imagenet.py --variant METHOD=cutmix NETWORK=resnext50
# As there: alpha of each method, one draw per batch. Ours: see README.md.
_base_ = './simple_tiny_imagenet.py'
from mmtmix.recipes import stage, supermix, transformmix, variant

augments = dict(
    mixup=dict(type='Mixup', alpha=1.0),
    cutmix=dict(type='CutMix', alpha=1.0),
    smoothmix=dict(type='SmoothMix', per_sample=False),
    saliencymix=dict(type='SaliencyMix', alpha=1.0, per_sample=False),
    fmix=dict(type='FMix', alpha=1.0, per_sample=False),
    puzzlemix=dict(type='PuzzleMix', alpha=1.0, per_sample=False),
    comixup=dict(type='CoMixup', alpha=2.0),
    resizemix=dict(type='SampleResizeMix', alpha=1.0, per_sample=False),
)
method = variant('METHOD', *augments, 'manifold_mixup', 'automix', 'transformmix', 'supermix')

if method in ('puzzlemix', 'comixup'):
    custom_hooks = [dict(type='LiveModelHook')]
if method == 'manifold_mixup':
    model = dict(type='ManifoldMixup', alpha=0.2, per_sample=False)
if method == 'automix':
    model = dict(
        type='AutoMixClassifier',
        mix_block=dict(
            type='MixBlock',
            in_channels=dict(resnet18=256, resnext50=1024)[_base_.network],
            lam_concat=False,
        ),
        alpha=2.0,
        keep_area_weight=True,
        per_sample=False,
    )
    custom_hooks = [dict(type='AutoMixHook', end_momentum=0.999999)]
    # the cosine ends at 0.05 there; ours: at the same share of its rate for the mix block
    optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'mixing.mix_block': dict(lr_mult=0.5)}))
    param_scheduler = dict(eta_min=None, eta_min_ratio=0.25)
if method in ('transformmix', 'supermix'):
    teacher = stage('configs/mixbench/simple_tiny_imagenet.py', 'last.pth')
    requires = [teacher]
if method == 'transformmix':
    search = stage('configs/mixbench/search_tiny_imagenet.py', 'mixer.pth')
    requires += [search]
    augments[method] = transformmix(search, teacher)
if method == 'supermix':
    augments[method] = supermix(teacher)
if method in augments:
    model = dict(train_cfg=dict(augments=augments[method]))
