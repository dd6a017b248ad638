# MixBench, CIFAR-100 at 224 pixels: OpenMixup's table of `METHOD` for `NETWORK` (deit_s, swin_t)
# after 200 epochs; printed are the best of the last 10 epochs. 1 GPU x 100.
# Its rows of transformmix and supermix are ours: it has none. They train first what they require.
#     mmtmix train configs/mixbench/vit_cifar100.py --variant METHOD=cutmix NETWORK=swin_t
# As there: alpha of each method, one draw per batch; deit draws Mixup or CutMix for each batch.
# Ours: see README.md.
_base_ = './simple_vit_cifar100.py'
from mmtmix.recipes import stage, supermix, transformmix, variant

augments = dict(
    mixup=dict(type='Mixup', alpha=0.8),
    cutmix=dict(type='CutMix', alpha=2.0),
    deit=[dict(type='CutMix', alpha=1.0), dict(type='Mixup', alpha=0.8)],
    smoothmix=dict(type='SmoothMix', per_sample=False),
    saliencymix=dict(type='SaliencyMix', alpha=0.2, per_sample=False),
    fmix=dict(type='FMix', alpha=1.0, per_sample=False),
    puzzlemix=dict(type='PuzzleMix', alpha=2.0, block_num=[2, 4, 8], t_size=-1, per_sample=False),
    resizemix=dict(type='SampleResizeMix', alpha=1.0, per_sample=False),
)
method = variant('METHOD', *augments, 'transformmix', 'supermix')

if method == 'puzzlemix':
    custom_hooks = [dict(type='LiveModelHook')]
if method in ('transformmix', 'supermix'):
    teacher = stage('configs/mixbench/simple_vit_cifar100.py', 'last.pth')
    requires = [teacher]
if method == 'transformmix':
    search = stage('configs/mixbench/search_vit_cifar100.py', 'mixer.pth')
    requires += [search]
    augments[method] = transformmix(search, teacher)
if method == 'supermix':
    augments[method] = supermix(teacher)
model = dict(train_cfg=dict(augments=augments[method]))
