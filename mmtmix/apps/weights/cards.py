"""Cards of the weights that come with the package, as text and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from mmtmix.utils.shipped import FOLDER, SCHEME, shipped_names

METHODS = {'transformmix': 'this module', 'cutmix': 'CutMix', 'mixup': 'Mixup'}
Card = Mapping[str, Any]


def read_card(name: str) -> Card:
    """Read the card of shipped weights.

    Args:
        name: Name of the weights, in :func:`mmtmix.utils.shipped_names`.
    """
    return yaml.safe_load((FOLDER / f'{name}.yaml').read_text(encoding='utf-8'))


def read_cards() -> list[Card]:
    """Read the cards of all shipped weights, mixing modules first."""
    cards = [read_card(name) for name in shipped_names()]
    return sorted(cards, key=lambda card: card['kind'] != 'mixing module')


def weights_table(cards: Sequence[Card], in_markdown: bool = False) -> str:
    """Return a table of weights: name, k, size, data and what they are.

    Args:
        cards: Cards of the weights.
        in_markdown: Whether it is a table of Markdown; otherwise its columns are aligned.
    """
    head = ['name', 'k', 'size', 'data', 'what it is']
    rows = [
        [
            SCHEME + card['name'],
            str(card.get('k', '-')),
            f'{card["bytes"] / 1000:,.0f} kB',
            card['data']['name'],
            card['summary'],
        ]
        for card in cards
    ]
    if in_markdown:
        return table(head, [[f'`{row[0]}`', *row[1:]] for row in rows])
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return '\n'.join([*lines, '', 'mmtmix weights NAME shows the card of one.'])


def card_text(card: Card) -> str:
    """Return a card in Markdown.

    Args:
        card: Card of the weights.
    """
    run, data = card['run'], card['data']
    facts = {
        'Use it': f'`{SCHEME}{card["name"]}`',
        'Made by': f'`{card["command"]}`',
        'Seed': run['seed'],
        'Run': _run_in_words(run),
        'Data': f'{data["name"]}, {data["images"]}; licence of the data: {data["licence"]}',
        'Teacher': _teacher_in_words(card.get('teacher')),
        'Licence of the weights': card['licence'],
        'File': f'{card["bytes"]:,} bytes, SHA-256 `{card["sha256"]}`',
        'Log of its training': f'`mmtmix/weights/{card["name"]}.jsonl`',
    }
    lines = [f'# {card["name"]}', '', f'{card["summary"]}.', '']
    lines += [f'- {name}: {value}' for name, value in facts.items() if value is not None]
    if 'quality' in card:
        lines += ['', *_quality_lines(card, '## ')]
    if 'accuracy' in card:
        lines += ['', f'Accuracy: {_accuracy_in_words(card["accuracy"])}.']
    return '\n'.join([*lines, '', card['limits']])


def quality_text(card: Card) -> str:
    """Return what was measured of a mixing module, for a page that describes the measures.

    Args:
        card: Card of the module.
    """
    return '\n'.join([f'### {card["name"]}', '', *_quality_lines(card, '#### ')])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as a table in Markdown.

    Args:
        head: Cells of the first line.
        rows: Cells of the other lines.
    """
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _quality_lines(card: Card, heading: str) -> list[str]:
    """Return lines with the measures of a module, below headings of a level such as ``'## '``."""
    lines = [f'{heading}Held-out images', '', *_measured(card['quality'])]
    return [*lines, '', f'{heading}Other data, without a search', '', *_measured(card['transfer'])]


def _measured(measured: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return lines with a table of measures of mixes for each data set."""
    lines = []
    for each in measured:
        rows = [
            [
                title,
                f'{each[method]["ce"]:.3f}',
                f'{each[method]["top_k"]:.1f}',
                f'{each[method]["kept_saliency"]:.1f}',
            ]
            for method, title in METHODS.items()
        ]
        head = ['mix', 'teacher CE (nats)', 'top-k = mixed classes (%)', 'kept saliency (%)']
        mean, low, high = each['ce_minus_cutmix']
        lines += [
            f'{each["data"]}. Teacher: {each["teacher"]}. {each["images"]:,} mixes; CE minus that '
            f'of CutMix: {mean:+.3f} [{low:+.3f}, {high:+.3f}].',
            '',
            table(head, rows),
            '',
        ]
    return lines[:-1]


def _run_in_words(run: Mapping[str, Any]) -> str:
    versions = run['versions']
    named = ', '.join(f'{name} {versions[name]}' for name in ('mmtmix', 'torch'))
    return (
        f'digest `{run["digest"]}`, {run["steps"]:,} steps, {run["precision"]} on '
        f'{run["device"]}, {named}'
    )


def _teacher_in_words(teacher: Mapping[str, Any] | None) -> str | None:
    if teacher is None:
        return None
    return f'`{SCHEME}{teacher["name"]}`, SHA-256 `{teacher["sha256"]}`'


def _accuracy_in_words(accuracy: Mapping[str, Any]) -> str:
    return f'{accuracy["top1"]:.2f} % top-1 on {accuracy["data"]}, one seed'
