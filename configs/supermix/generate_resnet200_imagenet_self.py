# SuperMix Table 1 and section 4.1: 1,000,000 mixes of three ImageNet images for ResNet-200, by
# itself trained on clean images: printed 80.8 / 95.4 top-1 / top-5, with RA 81.3 / 95.6 top-1 /
# top-5. Half of a batch may stay unfinished, as its author says. Ours: batch 128; images are the
# validation's crops, 224 pixels; min_iters, see README.md.
_base_ = '../simple/resnet200_imagenet.py'

from mmtmix.recipes import stage, supermix

teacher = stage('configs/simple/resnet200_imagenet.py', 'last.pth')
requires = [teacher]
model = dict(
    train_cfg=dict(
        augments=supermix(
            teacher,
            num_mix=3,
            min_iters=1,
            mask_size=16,
            sigma=2.0,
            max_unfinished_ratio=0.5,
            solver='paper',
        )
    )
)
generation = dict(num=1_000_000, seed=0)
