"""Initialisation that several families share, in MMEngine's form."""

FAN_OUT = [
    dict(type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu'),
    dict(type='Constant', layer='_BatchNorm', val=1),
]
