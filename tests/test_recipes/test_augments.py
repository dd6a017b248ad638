"""Batch augments of required runs, written out."""

import pytest

from mmtmix.functional import SUPERMIX_PAPER
from mmtmix.recipes import stage, supermix, teacher_from, transformmix

TEACHER = dict(config='configs/simple/a.py', produces='work_dirs/simple/a/last.pth')
NAMED = dict(config='configs/simple/a.py', checkpoint='work_dirs/simple/a/last.pth')
SEARCH = dict(config='configs/t/search.py', produces='work_dirs/t/search/mixer.pth')


def test_transformmix_has_the_files_of_its_runs():
    assert transformmix(SEARCH, TEACHER) == dict(
        type='TransformMix',
        mixer='work_dirs/t/search/mixer.pth',
        teacher=NAMED,
        num_mix=2,
        alpha=1.0,
    )
    own = transformmix(SEARCH, TEACHER, 3, 0.2, cam_class='predicted')
    assert (own['num_mix'], own['alpha'], own['cam_class']) == (3, 0.2, 'predicted')


def test_a_module_of_the_package_needs_no_search():
    own = transformmix('mmtmix://fashionmnist_k3', TEACHER, 3)
    assert own == transformmix(SEARCH, TEACHER, 3) | dict(mixer='mmtmix://fashionmnist_k3')
    with pytest.raises(ValueError, match="did you mean 'mmtmix://fashionmnist_k"):
        transformmix('mmtmix://fashionmnist_k4', TEACHER)


def test_supermix_has_the_file_of_its_teacher_and_the_settings_of_its_solver():
    assert supermix(TEACHER) == dict(type='SuperMix', teacher=NAMED, num_mix=2)
    own = supermix(TEACHER, 3, mask_size=16, step_range=(1, 2))
    assert own == dict(type='SuperMix', teacher=NAMED, num_mix=3, mask_size=16, step_range=(1, 2))


def test_the_papers_solver_is_written_out_and_can_be_changed():
    published = supermix(TEACHER, solver='paper', max_iters=9)
    assert published == supermix(TEACHER) | SUPERMIX_PAPER | dict(max_iters=9)
    with pytest.raises(ValueError, match="solver must be one of .*got 'quick'"):
        supermix(TEACHER, solver='quick')


def test_a_teacher_may_have_settings_of_its_own():
    teacher = teacher_from(TEACHER, saliency='grad_cam')
    assert supermix(teacher)['teacher'] == transformmix(SEARCH, teacher)['teacher'] == teacher
    assert teacher == NAMED | dict(saliency='grad_cam')


def test_runs_come_from_stage():
    teacher = stage('configs/simple/wrn28_cifar100.py', 'last.pth')
    search = stage('configs/transformmix/search_wrn28_cifar100.py', 'mixer.pth')
    mix = transformmix(search, teacher)
    assert mix['mixer'] == 'work_dirs/transformmix/search_wrn28_cifar100/mixer.pth'
    assert mix['teacher']['checkpoint'] == 'work_dirs/simple/wrn28_cifar100/last.pth'


@pytest.mark.parametrize(
    ('make', 'error', 'words'),
    [
        (lambda: transformmix(SEARCH, TEACHER, 1), ValueError, 'num_mix must be an integer >= 2'),
        (lambda: transformmix(SEARCH, TEACHER, alpha=0), ValueError, 'alpha must be'),
        (lambda: transformmix(SEARCH, TEACHER, cam='x'), TypeError, "transformmix has no 'cam'"),
        (lambda: transformmix('mixer.pth', TEACHER), TypeError, 'search must be an entry of'),
        (lambda: transformmix(SEARCH, {}), TypeError, r"teacher\['produces'\] must be a string"),
        (
            lambda: supermix(dict(TEACHER, produces='x/dataset.json')),
            ValueError,
            r"the suffix of teacher\['produces'\] must be one of '.pth', got '.json'",
        ),
        (lambda: supermix(dict(TEACHER, checkpont=1)), TypeError, "teacher has no 'checkpont'"),
        (lambda: supermix(TEACHER, mask_sise=8), TypeError, "did you mean 'mask_size'"),
    ],
)
def test_wrong_arguments_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()
