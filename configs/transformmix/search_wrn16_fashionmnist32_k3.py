# The search of the shipped module `mmtmix://fashionmnist_k3`, docs/weights.md: as
# search_wrn16_fashionmnist32, with three images per mix.
_base_ = './search_wrn16_fashionmnist32.py'

model = dict(mixer=dict(num_mix=3))
