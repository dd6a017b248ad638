"""The folders of tests are a package of this checkout, which no installed one shadows."""

from pathlib import Path

import tests

FOLDER = Path(__file__).resolve().parent


def test_the_package_of_tests_is_ours():
    assert Path(tests.__file__).resolve().parent == FOLDER


def test_every_folder_of_tests_is_in_it():
    folders = {path.parent for path in FOLDER.rglob('test_*.py')}
    assert not [folder for folder in folders if not (folder / '__init__.py').is_file()]
