"""One sentence about what a run trained, from its config alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN_CLASSIFIERS = frozenset({'ImageClassifier', ''})
_INNER = ('dataset', 'datasets')
_MOST_ARGUMENTS = 4
_FOLDERS = ('data_root', 'data_prefix', 'ann_file')


def describe_training(config: Mapping[str, Any]) -> str:
    """Return network, data, method and schedule of a run, in one sentence.

    Args:
        config: Content of its config.

    Returns:
        The sentence; one about what is missing if the config has no model.
    """
    if 'generation' in config:
        method = _join(_augments(config)) or 'its augment'
        return f'A set of mixed images of {_data(config)}, made by {method}.'
    model = _dict(config.get('model'))
    if not model:
        return 'The config in the work dir has no model, so what was trained is unknown.'
    parts = [_network(model, config), f'on {_data(config)}' if _loader(config) else '']
    parts.append(_method(model, config))
    text = ' '.join(filter(None, parts))
    return f'{", ".join([text, *_schedule(config)])}.'


def method_of(config: Mapping[str, Any]) -> str:
    """Return a short name of the method of a run, such as ``'CutMix'``; ``'no mixing'``.

    Args:
        config: Content of its config.
    """
    return _join([text.partition(' (')[0] for text in _augments(config)]) or 'no mixing'


def num_classes(config: Mapping[str, Any]) -> int | None:
    """Return the number of classes in a config; None if it is not there.

    Args:
        config: Content of a config.
    """
    model = _dict(config.get('model'))
    for part in (model.get('head'), config.get('data_preprocessor')):
        found = _dict(part).get('num_classes')
        if isinstance(found, int):
            return found
    return None


def _network(model: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    kind = _type(model)
    if kind == 'MixerSearch':
        mixer = _with_arguments(_dict(model.get('mixer')))
        return f'Search of a mixing module, {mixer},'
    network = _with_arguments(_dict(model.get('backbone'))) or kind or 'A model without a name'
    if kind not in _PLAIN_CLASSIFIERS and model.get('backbone'):
        network += f' in {kind}'
    classes = num_classes(config)
    return network if classes is None else f'{network} for {classes} classes'


def _data(config: Mapping[str, Any]) -> str:
    dataset = _dict(_loader(config).get('dataset'))
    limit = dataset.get('indices')
    while True:  # wrappers hold the data set whose images are used
        inner = next((dataset[name] for name in _INNER if dataset.get(name)), None)
        inner = inner[0] if isinstance(inner, Sequence) and not isinstance(inner, str) else inner
        if not isinstance(inner, Mapping):
            break
        dataset = inner
        limit = dataset.get('indices', limit)
    place = next((dataset[n] for n in _FOLDERS if isinstance(dataset.get(n), str)), '')
    name = _type(dataset) or 'a data set that the config does not name'
    text = f'{name} in {place}' if place else name
    return f'{text}, the first {limit} images' if isinstance(limit, int) and limit > 0 else text


def _method(model: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    if _type(model) == 'MixerSearch':
        return f'with the teacher {_teacher(model)}' if model.get('teacher') else ''
    hooks = [_dict(hook) for hook in config.get('custom_hooks') or ()]
    distilled = [hook for hook in hooks if 'Distill' in _type(hook)]
    found = _augments(config)
    text = f'with {_join(found)}' if found else ''
    if not found and _type(model) in _PLAIN_CLASSIFIERS:
        text = 'without mixing'
    return f'{text}, distilled from a teacher' if distilled else text


def _augments(config: Mapping[str, Any]) -> list[str]:
    """Return the batch augments of a config, with their plain arguments."""
    settings = _dict(_dict(config.get('model')).get('train_cfg'))
    if 'generation' in config:
        settings = dict(augments=_dict(config['generation']).get('augment')) | dict(settings)
    augments = settings.get('augments') or []
    augments = [augments] if isinstance(augments, (Mapping, str)) else list(augments)
    probs = settings.get('probs')
    found = []
    for number, augment in enumerate(augments):
        text = _with_arguments(_dict(augment)) or str(augment)
        if isinstance(probs, Sequence) and number < len(probs) and probs[number] != 1:
            text += f' on a share of {probs[number]} of the batches'
        found.append(text)
    return found


def _teacher(model: Mapping[str, Any]) -> str:
    teacher = _dict(model.get('teacher'))
    return str(teacher.get('checkpoint') or teacher.get('config') or 'that its config names')


def _schedule(config: Mapping[str, Any]) -> list[str]:
    loop, optimizer = _dict(config.get('train_cfg')), _dict(config.get('optim_wrapper'))
    optimizer = _dict(optimizer.get('optimizer'))
    parts = []
    if isinstance(loop.get('max_epochs'), int):
        parts.append(f'{loop["max_epochs"]} epochs')
    elif isinstance(loop.get('max_iters'), int):
        parts.append(f'{loop["max_iters"]:,} iterations')
    if isinstance(_loader(config).get('batch_size'), int):
        parts.append(f'{_loader(config)["batch_size"]} images per batch')
    if optimizer:
        rate = optimizer.get('lr')
        parts.append(_type(optimizer) + (f' at a learning rate of {rate}' if rate else ''))
    if config.get('load_from'):
        parts.append(f'from the weights in {config["load_from"]}')
    return parts


def _loader(config: Mapping[str, Any]) -> Mapping[str, Any]:
    loader = config.get('train_dataloader') or config.get('test_dataloader')
    return _dict(loader)


def _with_arguments(settings: Mapping[str, Any]) -> str:
    """Return a type and its first plain arguments, such as ``'WideResNet (depth=16)'``."""
    plain = [
        f'{name}={value}'
        for name, value in sorted(settings.items())
        if name != 'type'
        and isinstance(value, (int, float, str))
        and not (isinstance(value, str) and '/' in value)
    ][:_MOST_ARGUMENTS]
    kind = _type(settings)
    return f'{kind} ({", ".join(plain)})' if kind and plain else kind


def _type(settings: Mapping[str, Any]) -> str:
    return str(settings.get('type') or '').rpartition('.')[2]


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _join(texts: Sequence[str]) -> str:
    return ' or '.join(filter(None, [', '.join(texts[:-1]), *texts[-1:]]))
