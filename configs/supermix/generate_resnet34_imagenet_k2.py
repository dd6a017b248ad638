# SuperMix section 4 and Table 5, k = 2: 1,000,000 mixes of two ImageNet images for the students
# of ResNet-34. Half of a batch may stay unfinished, as its author says. Ours: batch 128; images
# are the validation's crops, 224 pixels; min_iters, see README.md.
_base_ = '../distill/teacher_resnet34_imagenet.py'

from mmtmix.recipes import stage, supermix

teacher = stage('configs/distill/teacher_resnet34_imagenet.py', 'last.pth')
requires = [teacher]
model = dict(
    train_cfg=dict(
        augments=supermix(
            teacher, min_iters=1, mask_size=16, sigma=2.0, max_unfinished_ratio=0.5, solver='paper'
        )
    )
)
generation = dict(num=1_000_000, seed=0)
