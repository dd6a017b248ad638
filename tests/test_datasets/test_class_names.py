"""Names of classes: moved ones are refused, renamed ones reported, missing ones left alone."""

import logging

import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmpretrain.datasets import CustomDataset
from torch.utils.data import Subset

from mmtmix.datasets import check_data, class_names
from mmtmix.datasets.class_names import ClassNames, as_names, compare_names, iter_names

pytestmark = pytest.mark.host

ABC = ('a', 'b', 'c')


@pytest.fixture
def said(monkeypatch):
    """What was logged as a warning."""
    texts = []

    def note(text, logger, level):
        assert (logger, level) == ('current', logging.WARNING)
        texts.append(text)

    monkeypatch.setattr(class_names, 'print_log', note)
    return texts


def compare(ours, theirs, *folders):
    folders = folders or ((), ())
    one = ClassNames('train', tuple(ours), folders[0])
    compare_names(one, ClassNames('val', tuple(theirs), folders[1]))


@pytest.mark.parametrize(
    ('ours', 'theirs', 'names'),
    [
        (ABC, ('a', 'c'), "'c' has the label 2 in the first and 1 in the second. The second lack"),
        (('a', 'c'), ABC, "'c' has the label 1 in the first and 2 in the second; give both"),
        (('cat', 'dog'), ('dog', 'cat'), "'cat' has the label 0 .* 'dog' has the label 1"),
        (('cat', 'dog', 'emu'), ('dog', 'x', 'y'), "'dog' has the label 1 in the first and 0"),
        (('polar bear', 'sea-lion'), ('Sea_Lion', 'polar_bear'), "'polar bear' has the label 0"),
    ],
)
def test_a_name_in_another_place_is_an_error(said, ours, theirs, names):
    with pytest.raises(ValueError, match=f'train and val give their classes .*{names}'):
        compare(ours, theirs)
    assert not said


@pytest.mark.parametrize(
    ('ours', 'theirs', 'text'),
    [
        (ABC, ('cat', 'dog', 'emu'), "label 0 is 'a' and 'cat', label 1 is 'b' and 'dog', label"),
        (('Sea lion', 'cat'), ('sea_lion', 'cat'), "label 0 is 'Sea lion' and 'sea_lion'. Labels"),
        (('plane', 'cat'), ('airplane', 'cat'), "label 0 is 'plane' and 'airplane'. Labels"),
        # one name of two classes proves nothing, as ImageNet's two cranes
        (('crane', 'dog', 'crane'), ('crane', 'dog', 'crane (machine)'), "label 2 is 'crane'"),
        (('crane', 'dog', 'crane'), ('bird', 'dog', 'crane'), "label 0 is 'crane' and 'bird'"),
        (ABC, (*ABC, 'd'), "val has classes that train lacks: 'd'"),
        ('abcdef', 'uvwxyz', "label 2 is 'c' and 'w' and 3 more"),
    ],
)
def test_other_names_in_the_same_places_are_a_warning(said, ours, theirs, text):
    compare(ours, theirs)
    assert len(said) == 1 and text in said[0]


@pytest.mark.parametrize('theirs', [ABC, ('a', 'b'), ()])
def test_the_same_names_fewer_at_the_end_or_none_are_left_alone(said, theirs):
    compare(ABC, theirs)
    compare((), theirs)
    compare(('1.0', '10'), ('1.0', '10'))
    assert not said


def test_folders_count_more_than_what_classes_are_said_to_be():
    with pytest.raises(ValueError, match="'c' has the label 2 .* an empty folder keeps the place"):
        compare('xyz', 'xy', ABC, ('a', 'c'))
    compare('xyz', 'zyx', ABC, ABC)


def test_names_are_lists_of_text():
    assert as_names(['a', 'b']) == ('a', 'b')
    for classes in (None, 'abc', [1, 2], {'a': 1}, [['a'], ['b']]):
        assert as_names(classes) == ()


def test_names_come_from_the_parts_of_wrappers(tmp_path):
    for folder in ABC[::2]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'x.jpg').touch()
    (tmp_path / 'list.txt').write_text('a/x.jpg 0\n')
    own = CustomDataset(data_root=str(tmp_path))
    listed = CustomDataset(data_root=str(tmp_path), ann_file='list.txt')
    named = CustomDataset(
        data_root=str(tmp_path), ann_file='list.txt', metainfo=dict(classes=('x', 'y'))
    )
    assert list(iter_names(listed, 'train')) == list(iter_names(range(3), 'train')) == []
    owner = f'train (CustomDataset in {tmp_path})'
    for dataset in (own, RepeatDataset(own, 2), Subset(own, [0]), ConcatDataset([own])):
        assert list(iter_names(dataset, 'train')) == [ClassNames(owner, ('a', 'c'), ('a', 'c'))]
    assert list(iter_names(named, 'train')) == [ClassNames(owner, ('x', 'y'))]


def test_class_folders_without_any_image_are_refused_beforehand(tmp_path):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'stray.jpg').touch()
    (tmp_path / 'a' / 'notes.txt').touch()
    dataset = dict(type='CustomDataset', data_root=str(tmp_path))
    cfg = dict(val_dataloader=dict(dataset=dataset))
    with pytest.raises(FileNotFoundError, match=r'any image \(.jpg, .* class folders'):
        check_data(cfg)
    check_data(dict(val_dataloader=dict(dataset=dataset | dict(with_label=False))))
    check_data(dict(val_dataloader=dict(dataset=dataset | dict(extensions=['.TXT']))))
    (tmp_path / 'a' / 'deeper').mkdir()
    (tmp_path / 'a' / 'deeper' / 'x.PNG').touch()
    check_data(cfg)
