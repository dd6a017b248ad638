# all of Fashion-MNIST, 60,000 training and 10,000 test images, in the recipe of its bundled part;
# the four official files are in data/fashion_mnist
_base_ = './fashionmnist_mini.py'

loading = dict(
    num_workers=2, persistent_workers=False, dataset=dict(data_root='data/fashion_mnist')
)
train_dataloader = dict(worker_init_fn=dict(type='seed_worker'), **loading)
val_dataloader = loading
test_dataloader = val_dataloader
