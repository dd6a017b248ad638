"""Variants: declared in configs, chosen by name, refused with the list of those that there are."""

import pytest
from mmengine.config import Config

from mmtmix.recipes import read_base, variant
from mmtmix.utils import default_work_dir, load_config
from mmtmix.utils.config import declared_variants
from mmtmix.utils.variants import label_of, parse_variants

TEACHER = """
_base_ = []
from mmtmix.recipes import variant
net = variant('NET', 'thin', 'wide')
num_images = variant('NUM_IMAGES', 1000, 5000, 20000)
"""
STUDENT = """
_base_ = './teacher.py'
from mmtmix.recipes import stage, teacher_from, variant
mixer = variant('MIXER', None, kind=str)
share = variant('SHARE', 0.5, kind=float)
teacher_run = stage('configs/method/teacher.py', 'last.pth')
requires = [teacher_run]
model = dict(teacher=teacher_from(teacher_run, saliency='cam'))
"""
CONFIG = 'configs/method/student.py'


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write configs below `configs/method` of the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs' / 'method').mkdir(parents=True)

    def make(**texts):
        for name, text in texts.items():
            (tmp_path / 'configs' / 'method' / f'{name}.py').write_text(text)
        return CONFIG

    make(teacher=TEACHER, student=STUDENT)
    return make


def test_without_a_choice_each_tool_gets_the_defaults(write):
    for cfg in (Config.fromfile(CONFIG), load_config(CONFIG), load_config(CONFIG, None, {})):
        assert (cfg.net, cfg.num_images, cfg.mixer, cfg.share) == ('thin', 1000, None, 0.5)
        assert cfg.requires == [
            dict(config='configs/method/teacher.py', produces='work_dirs/method/teacher/last.pth')
        ]
        assert cfg.model.teacher == dict(
            config='configs/method/teacher.py',
            checkpoint='work_dirs/method/teacher/last.pth',
            saliency='cam',
        )


def test_a_shell_changes_nothing(write, monkeypatch):
    for name, value in dict(NET='wide', NUM_IMAGES='5000', MIXER='x', SHARE='1').items():
        monkeypatch.setenv(name, value)
    assert load_config(CONFIG).net == 'thin'
    assert load_config(CONFIG).num_images == 1000


@pytest.mark.parametrize('value', [5000, '5000'])
def test_values_keep_their_type(write, value):
    cfg = load_config(CONFIG, variants=dict(NUM_IMAGES=value, MIXER='a.pth', SHARE='0.25'))
    assert (cfg.num_images, cfg.mixer, cfg.share) == (5000, 'a.pth', 0.25)
    assert type(cfg.num_images) is int


def test_required_configs_get_what_they_declare_themselves(write):
    cfg = load_config(CONFIG, variants=dict(NET='wide', MIXER='a.pth'))
    folder = 'work_dirs/method/teacher-NET=wide'
    assert cfg.requires == [
        dict(
            config='configs/method/teacher.py',
            produces=f'{folder}/last.pth',
            variants=dict(NET='wide'),
        )
    ]
    assert cfg.model.teacher.variants == dict(NET='wide')
    assert cfg.model.teacher.checkpoint == f'{folder}/last.pth'


def test_a_stage_may_have_values_of_its_own(write):
    write(student=STUDENT.replace("'last.pth')", "'last.pth', NET='wide')"))
    for chosen in ({}, dict(NET='thin'), dict(NET='wide')):
        (needed,) = load_config(CONFIG, variants=chosen).requires
        assert needed.variants == dict(NET='wide')
    write(student=STUDENT.replace("'last.pth')", "'last.pth', NETS='wide')"))
    with pytest.raises(ValueError, match=r'teacher.py declares no variant NETS.*NET.*NUM_IMAGES'):
        load_config(CONFIG)


def test_variants_of_required_configs_are_variants_of_the_config(write):
    write(
        other="""
_base_ = []
from mmtmix.recipes import stage
requires = [stage('configs/method/student.py', 'last.pth', NUM_IMAGES=5000)]
"""
    )
    other = 'configs/method/other.py'
    assert list(declared_variants(other)) == ['NET', 'MIXER', 'SHARE']
    (needed,) = load_config(other, variants=dict(NET='wide')).requires
    folder = 'work_dirs/method/student-NET=wide,NUM_IMAGES=5000'
    assert needed == dict(
        config=CONFIG,
        produces=f'{folder}/last.pth',
        variants=dict(NET='wide', NUM_IMAGES=5000),
    )
    assert default_work_dir(other, dict(NET='wide')) == 'work_dirs/method/other-NET=wide'
    with pytest.raises(ValueError, match='no variant NUM_IMAGES; the config declares NET'):
        load_config(other, variants=dict(NUM_IMAGES=1000))


def test_other_defaults_in_a_required_config_are_refused(write):
    write(
        other=TEACHER.replace("'thin', 'wide'", "'wide', 'thin'"),
        student=STUDENT.replace("stage('configs/method/teacher", "stage('configs/method/other"),
    )
    with pytest.raises(ValueError, match=r'NET is thin here and wide in configs/method/other.py'):
        load_config(CONFIG)
    assert load_config(CONFIG, variants=dict(NET='thin')).requires[0].variants == dict(NET='thin')


@pytest.mark.parametrize(
    ('chosen', 'message'),
    [
        (
            dict(NETS='wide'),
            r'no variant NETS; did you mean NET\? the config declares NET: thin, ',
        ),
        (
            dict(PAIR='a'),
            r'no variant PAIR; .* MIXER: any str \(default: None\); SHARE: any float',
        ),
        (dict(NET='broad'), r'teacher.py.*variant NET must be one of thin, wide; got broad'),
        (dict(NUM_IMAGES=1), r'NUM_IMAGES must be one of 1000, 5000, 20000; got 1$'),
        (dict(SHARE='half'), r'SHARE must be of type float, got half'),
    ],
)
def test_unknown_names_and_values_are_refused_with_the_list(write, chosen, message):
    with pytest.raises(ValueError, match=rf'^config .*{message}'):
        load_config(CONFIG, variants=chosen)
    with pytest.raises(ValueError, match=message):
        default_work_dir(CONFIG, chosen)


def test_a_config_without_variants_has_none(write):
    write(plain='a = 1')
    with pytest.raises(ValueError, match='no variant NET: the config declares none'):
        load_config('configs/method/plain.py', variants=dict(NET='wide'))


def test_no_two_settings_share_a_work_dir(write):
    def folder(**chosen):
        return default_work_dir(CONFIG, chosen)

    assert folder() == folder(NET='thin') == 'work_dirs/method/student'
    # in the order of declaration
    chosen = dict(SHARE=0.25, NUM_IMAGES='5000', NET='wide')
    assert folder(**chosen) == 'work_dirs/method/student-NET=wide,NUM_IMAGES=5000,SHARE=0.25'
    paths = {folder(MIXER=path) for path in ('a/b.pth', 'a/c.pth', 'a,NET=wide', 'a' * 99)}
    assert len(paths) == 4
    assert all(path.count('/') == 2 and len(path) < 50 for path in paths)


def test_a_label_holds_what_a_folder_may_be_named():
    assert label_of({}) == ''
    assert label_of(dict(A='x.y-1', B=2)) == 'A=x.y-1,B=2'


def test_a_variant_may_choose_what_is_read_in_place_of_a_base(write):
    write(
        student="""
_base_ = []
from mmtmix.recipes import read_base, variant
net = variant('NET', 'a', 'b')
globals().update(read_base(f'method/{net}.py'))
""",
        a="x = dict(y='a')",
        b="""
_base_ = []
from mmtmix.recipes import variant
x = dict(y=variant('DEPTH', 1, 2))
""",
    )
    assert load_config(CONFIG).x.y == 'a'
    assert load_config(CONFIG, variants=dict(NET='b', DEPTH='2')).x.y == 2
    assert list(declared_variants(CONFIG, dict(NET='b'))) == ['NET', 'DEPTH']
    with pytest.raises(ValueError, match='no variant DEPTH'):
        load_config(CONFIG, variants=dict(DEPTH='2'))
    with pytest.raises(FileNotFoundError, match=r"configs/none.py' was not found"):
        read_base('none.py')


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (
            lambda: variant('net', 1, 2),
            r"a name in capitals such as NUM_IMAGES, got 'net'",
        ),
        (lambda: variant('NET'), r'NET needs two or more different values.*got \(\)'),
        (lambda: variant('NET', 1, '1'), r"NET needs two or more different.*got \(1, '1'\)"),
        (lambda: variant('NET', 1, 2, kind=int), r'NET with a kind needs one default'),
        (lambda: variant('NET', 1, kind=list), r'kind of variant NET must be one of'),
    ],
)
def test_malformed_declarations_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_two_declarations_must_agree(write):
    more = "num_images = variant('NUM_IMAGES', 1000, 5000, 20000)\n"
    write(student=STUDENT + more)
    assert load_config(CONFIG, variants=dict(NUM_IMAGES=5000)).num_images == 5000
    write(student=STUDENT + more.replace('1000, ', ''))
    with pytest.raises(ValueError, match=r'NUM_IMAGES is declared twice, with \(1000, 5000, 2'):
        load_config(CONFIG)


@pytest.mark.parametrize('words', [['A'], ['=1'], ['A=1', 'A=2']])
def test_wrong_words_of_a_command_line_are_refused(words):
    with pytest.raises(ValueError, match=r'NAME=VALUE|given twice'):
        parse_variants(words)


LITERAL = """
_base_ = './teacher.py'
checkpoint = 'work_dirs/method/teacher/last.pth'
requires = [dict(config='configs/method/teacher.py', produces=checkpoint)]
"""


def test_a_variant_that_would_not_reach_a_required_config_is_refused(write):
    write(literal=LITERAL)
    assert load_config('configs/method/literal.py').net == 'thin'
    with pytest.raises(ValueError, match='variant NET would not reach configs/method/teacher.py'):
        load_config('configs/method/literal.py', None, dict(NET='wide'))


def test_a_base_is_read_beside_the_config_that_reads_it(write, tmp_path, monkeypatch):
    text = "_base_ = []\nfrom mmtmix.recipes import read_base\nx = read_base('_base_/x.py')['x']\n"
    write(reader=text)
    for folder, value in (('configs', 'own'), ('other/configs', 'another')):
        (tmp_path / folder / '_base_').mkdir(parents=True)
        (tmp_path / folder / '_base_' / 'x.py').write_text(f'x = {value!r}\n')
    monkeypatch.chdir(tmp_path / 'other')
    path = str(tmp_path / 'configs/method/reader.py')
    assert load_config(path).x == Config.fromfile(path).x == 'own'


def test_configs_of_one_name_in_several_folders_have_work_dirs_of_their_own(tmp_path):
    assert default_work_dir('birds/teacher.py') == 'work_dirs/birds/teacher'
    assert default_work_dir('cars/teacher.py') == 'work_dirs/cars/teacher'
    assert default_work_dir(tmp_path / 'teacher.py') == 'work_dirs/teacher'
