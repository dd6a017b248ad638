"""Which precision is fast here, decided by features of the CPU or measured."""

import platform

import pytest
import torch

from mmtmix.utils import choose_dtype, dtype_name, fast_precision, precision


@pytest.fixture
def cpu(monkeypatch):
    """Pretend to be another CPU: ``cpu(avx512_bf16=True)``, ``cpu(machine='aarch64')``."""

    def pretend(machine='x86_64', avx512_bf16=False, amx=False):
        monkeypatch.setattr(platform, 'machine', lambda: machine)
        monkeypatch.setattr(torch.cpu, '_is_avx512_bf16_supported', lambda: avx512_bf16)
        monkeypatch.setattr(torch.cpu, '_is_amx_tile_supported', lambda: amx)
        fast_precision.cache_clear()

    yield pretend
    fast_precision.cache_clear()


@pytest.mark.parametrize(
    ('features', 'expected'),
    [
        ({}, torch.float32),
        (dict(avx512_bf16=True), torch.bfloat16),
        (dict(amx=True), torch.bfloat16),
    ],
)
def test_features_of_x86_decide(cpu, features, expected):
    cpu(**features)
    assert choose_dtype('auto', 'cpu') == expected
    assert choose_dtype('float32', 'cpu') == torch.float32
    assert choose_dtype('bfloat16', 'cpu') == torch.bfloat16


@pytest.mark.parametrize(('factor', 'expected'), [(0.6, 'bfloat16'), (1.4, 'float32')])
def test_other_cpus_are_measured(cpu, monkeypatch, factor, expected):
    cpu('aarch64')
    seconds = {torch.float32: 0.01, torch.bfloat16: factor * 0.01}
    monkeypatch.setattr(precision, '_seconds', seconds.get)
    found = fast_precision('cpu')
    assert found.name == expected
    assert f'takes {factor} times as long' in found.reason


def test_measurement_takes_a_tenth_of_a_second_and_agrees_with_the_features(cpu, monkeypatch):
    by_features = fast_precision('cpu').dtype
    cpu('aarch64')
    assert fast_precision('cpu').dtype == by_features
    assert precision._seconds(torch.float32) > 0


@pytest.mark.parametrize('mode', [torch.no_grad, torch.inference_mode])
def test_it_is_measured_in_any_mode_of_the_caller(cpu, mode):
    by_features = fast_precision('cpu').dtype
    cpu('aarch64')
    with mode(), torch.autocast('cpu', torch.bfloat16):
        assert fast_precision('cpu').dtype == by_features


def test_it_is_decided_and_logged_once(cpu, monkeypatch):
    lines = []
    monkeypatch.setattr(precision, 'print_log', lambda text, logger: lines.append(text))
    cpu()
    assert fast_precision('cpu') is fast_precision('cpu')
    assert lines == ["dtype='auto' is float32 here: this CPU emulates bfloat16"]


def test_accelerators_get_bfloat16():
    assert fast_precision('cuda').dtype == torch.bfloat16


def test_an_unknown_dtype_is_named():
    with pytest.raises(ValueError, match="dtype must be one of .*'auto'.* got 'int8'"):
        choose_dtype('int8', 'cpu')
    assert dtype_name(torch.bfloat16) == 'bfloat16'
