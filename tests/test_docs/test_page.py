"""How the blocks of a page and their marks are read, and how a shell block is run."""

import re

import pytest

from .commands import check_command, check_same, commands_in
from .page import ROOT, pages, read_page
from .shell import run_shell

PAGE = """# Page

<!-- fixture: photos -->
<!-- an ordinary comment: stays -->

<!-- file: a/b.yaml -->
```yaml
a: 1
```

Text.
<!-- not run: it needs
a cluster -->

```bash
srun mmtmix train CONFIG
```

- item

  <!-- runs as: mmtmix train CONFIG --cfg-options a=1 -->
  ```bash
  mmtmix train CONFIG
  ```

```text
not a block
```
"""


def test_marks_belong_to_the_block_below():
    page = read_page('a.md', PAGE)
    assert page.fixtures == ('photos',)
    assert [block.language for block in page.blocks] == ['yaml', 'bash', 'bash']
    assert [[mark.name for mark in block.marks] for block in page.blocks] == [
        ['file'],
        ['not run'],
        ['runs as'],
    ]
    assert page.blocks[1].mark('not run') == 'it needs\na cluster'
    assert page.blocks[2].text == 'mmtmix train CONFIG\n'
    assert [block.line for block in page.blocks] == [7, 15, 22]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('<!-- not run: a -->\n\nText\n', 'stands above no block'),
        ('<!-- not run: a -->\n', 'stands above no block'),
        ('<!-- notrun: a -->\n```bash\na\n```\n', "no mark 'notrun'"),
        ('<!-- not run: -->\n```bash\na\n```\n', 'needs a value'),
        ('<!-- fixture: photo -->\n', "no fixture 'photo'"),
        ('<!-- not run: a -->\n```text\na\n```\n', 'never run'),
        ('<!-- runs as: a -->\n```python\na\n```\n', 'only commands'),
        ('<!-- added to: a -->\n```bash\na\n```\n', 'only a part of a config'),
        ('<!-- not run: a -->\n<!-- runs as: b -->\n```bash\na\n```\n', 'contradict'),
    ],
)
def test_a_wrong_mark_is_an_error(text, message):
    with pytest.raises(ValueError, match=message):
        read_page('a.md', text)


@pytest.mark.parametrize('path', pages())
def test_reasons_name_tests_that_exist(path):
    reasons = [block.mark('not run') for block in read_page(path).blocks]
    named = re.findall(r'tests/[\w./]+', ' '.join(filter(None, reasons)))
    assert not [name for name in named if not (ROOT / name.rstrip('.')).exists()]


def test_commands_are_found_after_other_words_and_parsed():
    text = (
        'srun -N 2 mmtmix train CONFIG \\\n  --amp && python tools/test.py a b | head\n# mmtmix\n'
    )
    found = list(commands_in(text))
    assert found == [('train', ['CONFIG', '--amp']), ('test', ['a', 'b'])]
    assert check_command(found[0]).amp
    with pytest.raises(AssertionError, match='unrecognized arguments'):
        check_command(found[0]._replace(words=['CONFIG', '--nothing']))
    with pytest.raises(AssertionError, match="no command 'trian'"):
        check_command(found[0]._replace(name='trian'))
    with pytest.raises(ValueError, match='ABLATION'):
        name = 'mmtmix::transformmix/ablation_wrn28_cifar100.py'
        check_command(found[0]._replace(words=[name, '--variant', 'ABLATION=none_such']))


def test_a_cheaper_command_differs_in_options_alone():
    shown = 'mmtmix train a.py --amp'
    check_same(shown, 'mmtmix train a.py --cfg-options train_cfg.max_epochs=1')
    with pytest.raises(AssertionError, match='in place of'):
        check_same(shown, 'mmtmix train b.py --amp')
    with pytest.raises(AssertionError, match='in place of'):
        check_same(shown, 'mmtmix test a.py b.pth')
    with pytest.raises(AssertionError, match='is not'):
        check_same(shown, 'true')


def test_a_shell_block_is_one_program_with_commands_of_this_process(tmp_path, forget_runs):
    (tmp_path / 'inner').mkdir()
    (tmp_path / 'inner/own.py').write_text(
        'import os, sys\nimport mmtmix\nprint(os.getcwd(), os.environ["A"], sys.argv[1:])\n'
    )
    printed = run_shell(
        'mmtmix --version | sed s/mmtmix/here/\ncd inner\nA=1 python own.py x "y z"\n'
        'mmtmix prepare none || echo status $?\npython -c "print(6 * 7)"\n',
        tmp_path,
        forget_runs,
    )
    lines = printed.splitlines()
    assert lines[0].startswith('here ')
    assert lines[1] == f"{tmp_path / 'inner'} 1 ['x', 'y z']"
    assert 'NAME must be one of' in printed and lines[-2:] == ['status 2', '42']
    with pytest.raises(AssertionError, match='exit status 2'):
        run_shell('mmtmix prepare none\necho not reached', tmp_path, forget_runs)


def test_what_a_program_registers_is_forgotten(tmp_path, forget_runs):
    script = (
        'from mmpretrain.registry import BATCH_AUGMENTS\n'
        'BATCH_AUGMENTS.register_module(name="Twice", module=type("Twice", (), {}))\n'
    )
    (tmp_path / 'own.py').write_text(script)
    run_shell('python own.py\npython own.py\n', tmp_path, forget_runs)
