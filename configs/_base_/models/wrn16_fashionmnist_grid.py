# WRN-16-1 on 28x28 grey images, or WRN-16-2 with `NET=wrn16_2`
_base_ = './wrn16_fashionmnist.py'
width = dict(wrn16_1=1, wrn16_2=2)['{{$NET:wrn16_1}}']
model = dict(backbone=dict(widen_factor=width), head=dict(in_channels=64 * width))
