# TransformMix's mixing module as published, section 3.1: the library's own settings differ, see
# docs/evidence.md
# Ours, where the paper is silent: theta is predicted as a difference from the identity, where the
# search's weight decay pulls it; the logarithm of the temperature is learned, which weight decay
# pulls to a temperature of 1; CAMs are scaled to [0, 1] before they are resized to cam_size; masks
# are made at cam_size (mask_size=None) and resized to the image.
model = dict(
    type='MixerSearch',
    mixer=dict(
        type='TransformMixer',
        num_mix=2,
        noise_size=1,
        transform='stn',
        mask='network',
        num_layers=3,
        channels=32,
        kernel_size=3,
        temperature=1.0,
        padding_mode='zeros',
        anchored=False,
        random_orientation=False,
        saliency_noise=0.0,
        mask_size=None,
    ),
    alpha=1.0,
)
