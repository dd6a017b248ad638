"""What configs share, as functions with checked arguments.

A config imports them below its ``_base_``. MMEngine leaves functions and modules out of the
config.
"""

from .policies import autoaugment_cifar_policies, randaugment_policies

__all__ = ['autoaugment_cifar_policies', 'randaugment_policies']
