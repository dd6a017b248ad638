"""Lets MMPretrain's CIFAR classes read generated files, whose checksums are not the official.

Not tests: a launched run imports it by ``custom_imports``. Given ``WITNESS``, it also writes
down how the teacher was told its inputs are normalised.
"""

import json
import os
from dataclasses import asdict

from mmpretrain.datasets import CIFAR10

from mmtmix.models.teachers import teacher_inputs

for listed in (CIFAR10.train_list, CIFAR10.test_list):
    for entry in listed:
        entry[1] = None
CIFAR10.meta['md5'] = None


class Renormalize(teacher_inputs.Renormalize):
    """The library's, that says what it was made from."""

    def __init__(self, source, target):
        super().__init__(source, target)
        with open(os.environ['WITNESS'], 'w') as file:
            json.dump(dict(source=asdict(source), target=asdict(target)), file)


if 'WITNESS' in os.environ:
    teacher_inputs.Renormalize = Renormalize
