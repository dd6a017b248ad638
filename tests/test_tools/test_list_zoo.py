"""docs/zoo.md is what tools/list_zoo.py makes of the configs."""

import pytest


@pytest.fixture(scope='module')
def tool(load):
    return load('list_zoo')


def test_the_page_is_up_to_date(tool):
    assert tool.main(['--check']) == 0


def test_an_old_page_is_noticed_and_made_anew(tool, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tool, 'MODEL_FILES', tool.MODEL_FILES[:1])
    page = tmp_path / 'zoo.md'
    assert tool.main(['--check', '--out', str(page)]) == 1
    assert 'tools/list_zoo.py' in capsys.readouterr().err
    assert tool.main(['--out', str(page)]) == 0
    assert tool.main(['--check', '--out', str(page)]) == 0
    page.write_text(page.read_text().replace('812,836', '812,837'))
    assert tool.main(['--check', '--out', str(page)]) == 1


@pytest.mark.parametrize(
    ('name', 'size'),
    [
        ('resnet50_imagenet', 224),
        ('resnet50_cifar100', 32),
        ('preactresnet18_tinyimagenet', 64),
        ('wrn16_fashionmnist', 28),
    ],
)
def test_networks_are_counted_at_the_size_of_their_images(tool, name, size):
    assert tool.input_size(name) == size
