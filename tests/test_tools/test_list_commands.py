"""docs/commands.md is what tools/list_commands.py makes of the parsers."""

import argparse

import pytest

from mmtmix.cli.main import COMMANDS


@pytest.fixture(scope='module')
def tool(load):
    return load('list_commands')


def test_the_page_is_up_to_date(tool):
    assert tool.main(['--check']) == 0


def test_an_old_page_is_noticed_and_made_anew(tool, tmp_path, capsys):
    page = tmp_path / 'commands.md'
    page.write_text('old')
    assert tool.main(['--check', '--out', str(page)]) == 1
    assert 'tools/list_commands.py' in capsys.readouterr().err
    assert tool.main(['--out', str(page)]) == 0
    assert tool.main(['--check', '--out', str(page)]) == 0


def test_every_argument_has_a_meaning(tool):
    page = tool.make_page()
    assert all(f'\n## mmtmix {name}\n' in page for name in COMMANDS)
    empty = [
        line for line in page.splitlines() if line.startswith('| `') and line.endswith('|  |')
    ]
    assert not empty


@pytest.mark.parametrize(
    ('words', 'settings', 'wanted'),
    [
        (['--num'], dict(type=int, default=5, help='number of pairs'),
         '| `--num` `NUM` | Number of pairs. Default: `5`. |'),
        (['--seed'], dict(nargs='+', help='seeds'), '| `--seed` `SEED ...` | Seeds. |'),
        (['--on'], dict(action='store_true', help='a | b'), '| `--on` | A \\| b. |'),
        (['data_dir'], dict(metavar='DIR', help='folder, see --out'),
         '| `DIR` | Folder, see `--out`. |'),
        (['--kind'], dict(choices=['a', 'b'], required=True, help='kind'),
         '| `--kind` `KIND` | Kind. One of `a`, `b`. Required. |'),
        (['--rate'], dict(default=1.0, help='rate (1.0)'), '| `--rate` `RATE` | Rate (1.0). |'),
    ],
)  # fmt: skip
def test_rows(tool, words, settings, wanted):
    assert tool.row(argparse.ArgumentParser().add_argument(*words, **settings)) == wanted
