"""Mutants that change nothing that the tests of a CPU could notice, with the reason."""

from __future__ import annotations

import re

# What may be struck out of both sides of a change: if they are the same then, the reason holds.
ANYWHERE = (
    (
        r',? *strict=(True|False|None)',
        'zip checks what cannot happen: both sides are made with one length',
    ),
    (r',? *non_blocking=(True|False|None)', 'how to copy to a GPU, not what'),
    (
        r'generator\.device if (generator is not None|\(generator is not None\) and False) else',
        'there is no generator of another device than the CPU without a GPU',
    ),
)
# From the beginning of a function's name in mutmut to a line put in, and the reason.
BY_FUNCTION: dict[str, dict[str, str]] = {
    'mmtmix.functional.saliency.x__to_255': {
        'return scaled + ((256 * share - scaled) < share).float()': 'on this CPU the comparison '
        'holds for no quotient of whole numbers below 6000, and sums reach 1530; tried on all',
    },
    'mmtmix.functional.masks.x__steps': {
        '(2 ** (DIGITS * BITS) + 1)': 'one step of 2^24 more, below what float32 tells apart',
    },
    'mmtmix.functional.transport.x_transport_plan': {
        'move_costs((saliency.size(1), saliency.size(2)))': 'only a GPU shows it: values decide '
        'the shapes, which no fake tensor has',
    },
    'mmtmix.models.augments.puzzle_mix.xǁPuzzleMixǁmix': {
        'batch_inputs.shape[+2:]': 'images have four dimensions: the last two are those from 2 on',
    },
}


def equivalence(function: str, removed: str, added: str) -> str:
    """Return why a mutant changes nothing, empty if it is not known to.

    Args:
        function: Its function as mutmut names it, with the module.
        removed: Lines of the function that it takes out, in one text.
        added: Lines that it puts in their place.
    """
    for pattern, reason in ANYWHERE:
        texts = [re.sub(pattern, '', text) for text in (removed, added)]
        if _plain(texts[0]) == _plain(texts[1]):
            return reason
    for known, changes in BY_FUNCTION.items():
        if function == known:
            for text, reason in changes.items():
                if _plain(text) in _plain(added):
                    return reason
    return ''


def _plain(text: str) -> str:
    """A text without spaces and commas before a bracket."""
    return re.sub(r',(?=[)\]}])', '', re.sub(r'\s', '', text))
