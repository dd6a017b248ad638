# MixBench, CIFAR-100: OpenMixup's table of `METHOD` for `NETWORK` (resnet18, resnext50) after
# `EPOCHS` (200, 400, 800, 1200); printed are medians of the last 10 epochs. 1 GPU x 100.
# Its rows of transformmix and supermix are ours: it has none. They train first what they require.
#     mmtmix train configs/mixbench/cifar100.py --variant METHOD=cutmix NETWORK=resnext50
# As there: alpha of each method, one draw per batch, weight decay 5e-4 for ResNeXt-50 with what
# cuts. Ours: see README.md.
_base_ = './simple_cifar100.py'
from mmtmix.recipes import stage, supermix, transformmix, variant

augments = dict(
    mixup=dict(type='Mixup', alpha=1.0),
    cutmix=dict(type='CutMix', alpha=0.2),
    smoothmix=dict(type='SmoothMix', per_sample=False),
    saliencymix=dict(type='SaliencyMix', alpha=0.2, per_sample=False),
    fmix=dict(type='FMix', alpha=0.2, per_sample=False),
    puzzlemix=dict(type='PuzzleMix', alpha=1.0, per_sample=False),
    comixup=dict(type='CoMixup', alpha=2.0),
    resizemix=dict(type='SampleResizeMix', alpha=1.0, per_sample=False),
)
method = variant('METHOD', *augments, 'manifold_mixup', 'automix', 'transformmix', 'supermix')
network = _base_.network

if network == 'resnext50' and method in ('cutmix', 'saliencymix', 'fmix', 'resizemix'):
    optim_wrapper = dict(optimizer=dict(weight_decay=5e-4))
if method in ('puzzlemix', 'comixup'):
    custom_hooks = [dict(type='LiveModelHook')]
if method == 'manifold_mixup':
    model = dict(type='ManifoldMixup', alpha=2.0, per_sample=False)
if method == 'automix':
    model = dict(
        type='AutoMixClassifier',
        mix_block=dict(
            type='MixBlock',
            in_channels=dict(resnet18=256, resnext50=1024)[network],
            lam_concat=False,
        ),
        alpha=2.0,
        keep_area_weight=True,
        per_sample=False,
    )
    custom_hooks = [dict(type='AutoMixHook', end_momentum=0.999999)]
    param_scheduler = dict(eta_min=0.05)
if method in ('transformmix', 'supermix'):
    teacher = stage('configs/mixbench/simple_cifar100.py', 'last.pth')
    requires = [teacher]
if method == 'transformmix':
    search = stage('configs/mixbench/search_cifar100.py', 'mixer.pth')
    requires += [search]
    augments[method] = transformmix(search, teacher)
if method == 'supermix':
    augments[method] = supermix(teacher)
if method in augments:
    model = dict(train_cfg=dict(augments=augments[method]))
