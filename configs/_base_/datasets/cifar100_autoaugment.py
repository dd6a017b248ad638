# CIFAR-100 with AutoAugment, in SuperMix's recipe: after crop and flip one of the 25 sub-policies
# that were found on CIFAR-10, then a 16x16 hole, as AutoAugment's paper has it. MMPretrain has no
# policy for CIFAR; levels mean what they mean in its policy for ImageNet.
# Ours: batch 128; holes and what comes in from outside are filled with the mean colour and with
# 128. MMCV's colour and contrast take these RGB images for BGR ones.
# Used in: SuperMix Table 1
_base_ = './cifar100_supermix.py'


def sub_policies():
    """The paper's table: operation, probability, level in 0-9."""
    table = """
        Invert .1 0        Contrast .2 6   | Rotate .7 2       TranslateX .3 9
        Sharpness .8 1     Sharpness .9 3  | ShearY .5 8       TranslateY .7 9
        AutoContrast .5 0  Equalize .9 0   | ShearY .2 7       Posterize .3 7
        Color .4 3         Brightness .6 7 | Sharpness .3 9    Brightness .7 9
        Equalize .6 0      Equalize .5 0   | Contrast .6 7     Sharpness .6 5
        Color .7 7         TranslateX .5 8 | Equalize .3 0     AutoContrast .4 0
        TranslateY .4 3    Sharpness .2 6  | Brightness .9 6   Color .2 8
        Solarize .5 2      Invert .0 0     | Equalize .2 0     AutoContrast .6 0
        Equalize .2 0      Equalize .6 0   | Color .9 9        Equalize .6 0
        AutoContrast .8 0  Solarize .2 8   | Brightness .1 3   Color .7 0
        Solarize .4 5      AutoContrast .9 0 | TranslateY .9 9   TranslateY .7 9
        AutoContrast .9 0  Solarize .8 3   | Equalize .8 0     Invert .1 0
        TranslateY .7 9    AutoContrast .9 0
    """
    shift = dict(X='horizontal', Y='vertical')

    def operation(name, prob, level):
        part = int(level) / 9
        known = dict(
            Color=dict(type='ColorTransform', magnitude=0.9 * part),
            Contrast=dict(magnitude=0.9 * part),
            Brightness=dict(magnitude=0.9 * part),
            Sharpness=dict(magnitude=0.9 * part),
            Posterize=dict(bits=8 - round(4 * part)),
            Rotate=dict(angle=30 * part),
            Shear=dict(magnitude=0.3 * part),
            Solarize=dict(thr=256 * (1 - part)),
            Translate=dict(magnitude=150 / 331 * part),
        )
        kind = name.rstrip('XY')
        direction = dict(direction=shift[name[-1]]) if kind != name else {}
        return dict(dict(type=kind, prob=float(prob)), **known.get(kind, {}), **direction)

    words = table.replace('|', '').split()
    found = [operation(*words[start : start + 3]) for start in range(0, len(words), 3)]
    return [found[start : start + 2] for start in range(0, len(found), 2)]


train_pipeline = [
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='AutoAugment', policies=sub_policies()),
    dict(type='Cutout', shape=16, pad_val=(129, 124, 112), prob=1.0),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=128, dataset=dict(pipeline=train_pipeline))
