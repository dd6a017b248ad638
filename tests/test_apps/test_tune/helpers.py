"""What tests of studies read of a folder."""

import hashlib
import json

from mmtmix.apps.tune.store import TrialStore


def silent(line):
    """Take a line."""


def trials_of(out, settings):
    """Return the parameters, states and values of all trials."""
    return [
        (trial.params, trial.state.name, trial.user_attrs.get('values'))
        for trial in TrialStore(out, settings, silent).trials()
    ]


def best_of(out):
    return json.loads((out / 'best' / 'best.json').read_text())


def assert_best_is_whole(out):
    module = (out / 'best' / 'mixer.pth').read_bytes()
    assert hashlib.sha256(module).hexdigest() == best_of(out)['sha256']
