"""Teachers and saliency on a GPU, beside the CPU's, compiled too."""

import pytest
import torch

from mmtmix.models import FrozenTeacher, InputGradient
from mmtmix.models.saliency import LiveModel, set_live_model

pytestmark = [pytest.mark.cuda, pytest.mark.host]

STATS = dict(mean=[72.94], std=[90.02])


@pytest.fixture
def make(fitted_teacher):
    """Make the fitted teacher: ``make(saliency='grad_cam')``."""
    return lambda **options: FrozenTeacher(**fitted_teacher, input_stats=STATS, **options)


@pytest.mark.parametrize('saliency', ['cam', 'grad_cam', 'input_gradient'])
def test_saliency_is_that_of_the_cpu(make, batch, device, saliency):
    inputs, classes = batch[0], batch[1].argmax(dim=1)
    options = dict(saliency=saliency)
    expected = make(**options).saliency(inputs, classes, 28)
    found = make(**options).saliency(inputs.to(device), classes.to(device), 28)
    for left, right in zip(found, expected, strict=True):
        assert left.device.type == device.type
        torch.testing.assert_close(left.cpu(), right, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize('saliency', ['cam', 'grad_cam', 'input_gradient'])
def test_the_host_does_not_wait_for_saliency(make, batch, device, no_sync, saliency):
    teacher = make(saliency=saliency)
    inputs, classes = batch[0].to(device), batch[1].argmax(dim=1).to(device)
    for _ in range(3):
        teacher.saliency(inputs, classes, 28)
    with no_sync():
        teacher.saliency(inputs, classes, 28)


def test_gradients_of_the_network_in_training_are_those_of_the_cpu(make, batch, device):
    found = []
    for there in ('cpu', device):
        set_live_model(LiveModel(make().model.to(there)))
        try:
            found.append(InputGradient()(batch[0].to(there), batch[1].to(there)))
        finally:
            set_live_model(None)
    torch.testing.assert_close(found[1].cpu(), found[0], atol=1e-4, rtol=1e-2)


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_a_teacher_in_half_precision_sees_the_same_classes(make, batch, device, dtype):
    exact = make()(batch[0].to(device))
    rounded = make(dtype=dtype, channels_last=True)(batch[0].to(device))
    assert (exact.argmax(dim=1) == rounded.argmax(dim=1)).float().mean() > 0.9
    torch.testing.assert_close(rounded.float(), exact, atol=0.5, rtol=0.05)


def test_a_compiled_teacher_has_the_same_logits_and_maps(make, batch, device):
    # inductor needs a compiler of C++ on a CPU, which is not what is tested
    compiled = make(compile=dict(backend='eager') if device.type == 'cpu' else True)
    inputs, classes = batch[0].to(device), batch[1].argmax(dim=1).to(device)
    for _ in range(2):
        logits, maps = compiled.saliency(inputs, classes, 28)
    expected = make().saliency(inputs, classes, 28)
    torch.testing.assert_close(logits, expected[0], atol=2e-3, rtol=1e-3)
    torch.testing.assert_close(maps, expected[1], atol=2e-3, rtol=1e-3)
    torch.testing.assert_close(compiled(inputs), expected[0], atol=2e-3, rtol=1e-3)
