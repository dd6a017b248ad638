"""What classifiers say of their heads."""

import pytest

from mmtmix.models import (
    AdAutoMixClassifier,
    AugMixClassifier,
    AutoMixClassifier,
    HeadUse,
    ManifoldMixup,
)


def test_a_classifier_that_says_nothing_classifies_its_samples():
    use = HeadUse()
    assert use.rows == 'samples'
    assert use.is_heads('loss') and use.is_heads('loss_aux')
    assert not use.is_heads('accuracy_top-1')


@pytest.mark.parametrize(
    ('classifier', 'rows', 'own', 'other'),
    [
        (ManifoldMixup, 'mixes', {'loss'}, set()),
        (AugMixClassifier, 'views', {'loss'}, {'loss_jsd'}),
        (
            AutoMixClassifier,
            'samples',
            {'loss', 'loss_mix', 'loss_aux_mix'},
            {'loss_mix_block', 'loss_aux_mix_block', 'loss_mask_area'},
        ),
        (
            AdAutoMixClassifier,
            'samples',
            {'loss', 'loss_mixup', 'loss_mix'},
            {'loss_mix_block', 'loss_similarity_mix_block'},
        ),
    ],
)
def test_classifiers_of_this_library(classifier, rows, own, other):
    use = classifier.head_use
    assert use.rows == rows
    assert {name for name in own | other if use.is_heads(name)} == own


def test_unknown_rows_are_refused():
    with pytest.raises(ValueError, match=r"rows must be one of .*'views'.*, got 'images'"):
        HeadUse(rows='images')
