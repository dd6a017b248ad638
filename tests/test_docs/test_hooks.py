"""What the site's build changes in pages: links, marks, equations, and roles in docstrings."""

import importlib.util
import inspect
import re

import pytest

from .page import ROOT

REPOSITORY = 'https://github.com/mmtmix/mmtmix'


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f'docs/hooks/{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ('source', 'link', 'wanted'),
    [
        ('docs/data.md', '../configs/costs.yaml', f'{REPOSITORY}/blob/main/configs/costs.yaml'),
        ('docs/data.md', '../configs/mixup', f'{REPOSITORY}/tree/main/configs/mixup'),
        (
            'docs/data.md',
            '../CONTRIBUTING.md#a-page',
            f'{REPOSITORY}/blob/main/CONTRIBUTING.md#a-page',
        ),
        ('docs/data.md', '../CHANGELOG.md', 'changelog.md'),
        ('docs/data.md', 'costs.md#data', 'costs.md#data'),
        ('docs/api/index.md', '../mixers.md', '../mixers.md'),
        ('docs/data.md', '#here', '#here'),
        ('docs/data.md', 'https://a.org/b', 'https://a.org/b'),
        ('docs/data.md', 'images/hero.png', 'images/hero.png'),
        ('CHANGELOG.md', 'docs/mixers.md#labels', 'mixers.md#labels'),
        ('CHANGELOG.md', 'mmtmix/checks.py', f'{REPOSITORY}/blob/main/mmtmix/checks.py'),
    ],
)
def test_links_to_files_become_addresses(source, link, wanted):
    links = load('links')
    assert links.rewrite(f'a [b]({link}) c', source, REPOSITORY) == f'a [b]({wanted}) c'


def test_a_link_to_a_file_that_is_not_there_is_an_error():
    with pytest.raises(FileNotFoundError, match=r'docs/data.md links to \.\./none.py'):
        load('links').rewrite('[a](../none.py)', 'docs/data.md', REPOSITORY)
    with pytest.raises(ValueError, match='has no heading for none'):
        load('links').rewrite('[a](../CONTRIBUTING.md#none)', 'docs/data.md', REPOSITORY)


def test_code_stays_and_marks_go():
    page = (
        '<!-- not run: it is\nlong -->\n```bash\n[a](../none.py) <!-- file: x -->\n```\n'
        'in `[a](../none.py)` and ``a`b`` text <!-- kept -->\n'
    )
    changed = load('links').rewrite(page, 'docs/data.md', REPOSITORY)
    assert changed == page.partition('-->\n')[2]


def test_figures_of_tables_stay_in_one_line():
    changed = load('links').on_page_content('83.1 ± 0.5 of [-0.3, +0.2], [a, b]')
    assert changed == '83.1\u00a0±\u00a00.5 of [-0.3,\u00a0+0.2], [a, b]'


def test_equations_become_mathml():
    pytest.importorskip('latex2mathml')
    equations = load('equations')
    page = '<p>a <span class="arithmatex">\\(x_1 \\sim y &lt; 2\\)</span></p>'
    changed = equations.replace(page, 'a.md')
    assert changed.startswith('<p>a <span class="equation" title="x_1 \\sim y &lt; 2"><math ')
    assert '<msub>' in changed and '&#x0223C;' in changed and 'arithmatex' not in changed
    block = '<div class="arithmatex">\\[\n\\sum_i x_i\n\\]</div>'
    assert 'display="block"' in equations.replace(block, 'a.md')
    with pytest.raises(ValueError, match=r'a.md: the equation'):
        equations.replace('<span class="arithmatex">\\(x_1_2\\)</span>', 'a.md')
    with pytest.raises(ValueError, match=r'a.md: .lamda is unknown'):
        equations.replace('<span class="arithmatex">\\(\\lamda\\)</span>', 'a.md')


def test_roles_of_docstrings_become_links():
    pytest.importorskip('griffe')
    roles = load('roles').Roles()
    text = roles.convert(
        'See :class:`~mmtmix.models.teachers.FrozenTeacher`, :meth:`BatchAugment.mix`,\n'
        ':func:`torch.nn.functional.affine_grid` and :func:`_own`, ``a.b``. '
        '`Paper <https://arxiv.org/abs/1>`__ says::\n\n    x = 1\n\n    >>> y = 2\n    3\n'
    )
    assert text == (
        'See [`FrozenTeacher`][mmtmix.models.FrozenTeacher], '
        '[`BatchAugment.mix`][mmtmix.models.BatchAugment.mix],\n'
        '`torch.nn.functional.affine_grid` and `_own`, `a.b`. '
        '[Paper](https://arxiv.org/abs/1) says:\n\n    x = 1\n\n'
        '    ```pycon\n    >>> y = 2\n    3\n    ```\n'
    )


def test_the_marks_that_the_build_drops_are_those_of_the_tests():
    from .page import MARKS

    pattern = load('links')._MARK
    assert all(pattern.search(f'<!-- {name}: a -->') for name in MARKS)
    assert set(re.search(r'\(\?:(.*?)\)', pattern.pattern)[1].split('|')) == set(MARKS)
    assert inspect.getdoc(load('links'))
