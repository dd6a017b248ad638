"""Files for GitHub and for citations are well-formed, and agree with the source."""

import re
from pathlib import Path

import pytest
import yaml

from mmtmix.version import __version__

ROOT = Path(__file__).resolve().parents[1]
GITHUB = ROOT / '.github'


def read(path):
    return yaml.safe_load(path.read_text(encoding='utf-8'))


@pytest.mark.parametrize(
    'path', sorted(GITHUB.glob('workflows/*.yml')), ids=lambda path: path.stem
)
def test_workflows_run_what_exists(path):
    content = read(path)
    jobs = content['jobs']
    assert {'contents': 'read'}.items() <= content['permissions'].items()
    for job in jobs.values():
        needed = job.get('needs', [])
        assert {needed} if isinstance(needed, str) else set(needed) <= jobs.keys()
        text = '\n'.join(str(step.get('run', '')) for step in job['steps'])
        tasks = (ROOT / 'Makefile').read_text()
        for task in re.findall(r'\bmake ([a-z-]+)', text):
            assert re.search(rf'^{task}:', tasks, re.MULTILINE), task
        for file in re.findall(
            r'(?:python|-r|-c) ((?:tools|requirements|\.github)/[\w./-]+)', text
        ):
            assert (ROOT / file).is_file() or file.endswith('/'), file


def test_only_the_upload_gets_an_identity_and_only_after_all_checks():
    jobs = read(GITHUB / 'workflows' / 'release.yml')['jobs']
    assert [name for name in jobs if 'id-token' in str(jobs[name].get('permissions'))] == [
        'publish'
    ]
    assert jobs['publish']['needs'] == 'smoke'
    assert jobs['smoke']['needs'] == 'build'
    first = [step.get('run', '') for step in jobs['build']['steps']]
    assert any('tools/release_notes.py "$GITHUB_REF_NAME"' in step for step in first)


@pytest.mark.parametrize(
    'path', sorted(GITHUB.glob('ISSUE_TEMPLATE/*.yml')), ids=lambda path: path.stem
)
def test_issue_forms_have_what_github_asks_for(path):
    form = read(path)
    if path.stem == 'config':
        assert all(link['url'].startswith('https://') for link in form['contact_links'])
        return
    assert form.keys() >= {'name', 'description', 'body'}
    ids = [part['id'] for part in form['body'] if part['type'] != 'markdown']
    assert len(ids) == len(set(ids)) > 1
    assert any(part.get('validations', {}).get('required') for part in form['body'])


def test_the_citation_is_of_this_version_and_of_both_papers():
    citation = read(ROOT / 'CITATION.cff')
    assert citation['cff-version'] == '1.2.0'
    assert (citation['version'], citation['license']) == (__version__, 'Apache-2.0')
    assert citation.keys() >= {'message', 'title', 'authors', 'repository-code'}
    titles = [each['title'] for each in citation['references']]
    assert [title.partition(':')[0] for title in titles] == ['TransformMix', 'SuperMix']
    assert all(each['authors'] and each['type'] for each in citation['references'])


@pytest.mark.parametrize('name', ['SECURITY.md', '.github/pull_request_template.md'])
def test_links_of_the_pages_lead_somewhere(name):
    page = ROOT / name
    targets = re.findall(r'\]\(([^)\s]+)\)', page.read_text(encoding='utf-8'))
    for target in targets:
        assert target.startswith('https://') or (page.parent / target).exists(), target
