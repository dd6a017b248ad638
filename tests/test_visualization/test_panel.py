"""mmtmix.visualization.panel."""

import re

import numpy as np
import pytest
import torch

from mmtmix.visualization import denormalize, draw_panel


def texts(figure):
    return [text.get_text() for text in figure.texts if text.get_text()]


def scaled(heat):
    return (heat - heat.min()) / (heat.max() - heat.min())


def expected_cells(mix, row):
    """What the cells of a mix show, made by another way than the panel's."""
    index, details = mix.details['index'][row], mix.details
    inputs = [denormalize(mix.inputs[i], mix.stats) for i in index]
    cells = [[picture] for picture in inputs]
    maps = [scaled(one[0].numpy()) for one in details['saliency'][row]]
    cells += [[p, heat] for p, heat in zip(inputs, maps, strict=True)]
    cells += [[denormalize(image, mix.stats)] for image in details['warped'][row]]
    cells += [[mask[0].numpy()] for mask in details['masks'][row]]
    return [*cells, [denormalize(mix.mixed[row], mix.stats)]]


@pytest.mark.parametrize(
    ('num_mix', 'channels', 'size'), [(2, 3, (20, 32)), (3, 1, (32, 20)), (4, 3, (24, 24))]
)
def test_every_cell_shows_its_step(mix, drawn, num_mix, channels, size):
    mix = mix(num_mix, channels, size)
    figure = draw_panel(mix.inputs, mix.mixed, mix.details, mix.stats, mix.names, rows=[3, 0])
    cells = drawn(figure)
    assert len(cells) == 2 * (4 * num_mix + 1)
    for shown, wanted in zip(cells, expected_cells(mix, 3) + expected_cells(mix, 0), strict=True):
        for array, picture in zip(shown, wanted, strict=True):
            np.testing.assert_array_equal(array, picture)
    for axes in figure.axes:  # pixels are square: pictures keep their form
        box = axes.get_position()
        width, height = figure.get_size_inches()
        assert box.height * height / (box.width * width) == pytest.approx(size[0] / size[1])


def test_rows_are_labelled_with_weights_and_classes(mix):
    mix = mix(num_mix=3)
    title = mix.augment.saliency_title
    args = (mix.inputs, mix.mixed, mix.details, mix.stats, mix.names)
    figure = draw_panel(*args, rows=[1], saliency_title=title)
    label = next(text for text in texts(figure) if text.startswith('λ₁'))
    for j, line in enumerate(label.splitlines()):
        symbol, weight, name = re.fullmatch(r'(λ.) = (0\.\d\d) (.+)', line).groups()
        assert symbol == 'λ' + '₁₂₃'[j]
        assert weight == f'{mix.details["weights"][1, j]:.2f}'
        full = mix.names[mix.details['index'][1, j]]
        assert name == full if len(full) <= 18 else full.startswith(name.removesuffix('…'))
    assert set(texts(figure)) == {label, 'Input', 'CAM', 'Transformed', 'Mask', 'Mix'} | set('123')


def test_columns_show_the_same_pictures_turned(mix, drawn):
    mix = mix()
    args = (mix.inputs, mix.mixed, mix.details, mix.stats, mix.names)
    rows, columns = (
        draw_panel(*args, rows=[0, 2, 4], layout=layout) for layout in ('rows', 'columns')
    )
    turned = [drawn(columns)[step * 3 + row] for row in range(3) for step in range(9)]
    for one, other in zip(drawn(rows), turned, strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)
    assert {'Input 1', 'Saliency 2', 'Transformed 1', 'Mask 2', 'Mix'} <= set(texts(columns))


@pytest.mark.parametrize('layout', ['rows', 'columns'])
@pytest.mark.parametrize('num_mix', [2, 4])
def test_no_text_meets_another(mix, assert_readable, num_mix, layout):
    mix = mix(num_mix, size=(20, 16))
    names = ['a wide name WWWWWW', 'a $5 note', '', 'MMMMMMMMMMMMMMMMMMMMMM', 'bag']
    args = (mix.inputs, mix.mixed, mix.details, mix.stats)
    assert_readable(draw_panel(*args, names, layout=layout))
    assert_readable(draw_panel(*args, layout=layout))


def test_mixer_that_transforms_nothing(mix, drawn):
    mix = mix(transform='none', mask='softmax_cam')
    figure = draw_panel(mix.inputs, mix.mixed, mix.details, mix.stats)
    cells = drawn(figure)
    assert len(cells) == 5 * 9
    for row in range(5):
        for j in (0, 1):
            np.testing.assert_array_equal(cells[9 * row + j][0], cells[9 * row + 4 + j][0])


@pytest.mark.parametrize('kind', ['SuperMix', 'SampleMixup', 'SampleCutMix'])
def test_mixer_without_saliency_and_movement_has_neither_step(mix_plainly, drawn, kind):
    mix = mix_plainly(kind, num_mix=3)
    figure = draw_panel(mix.inputs, mix.mixed, mix.details, mix.stats, mix.names, rows=[4])
    index, masks = mix.details['index'][4], mix.details['masks'][4, :, 0]
    wanted = [*denormalize(mix.inputs[index], mix.stats), *masks.numpy()]
    wanted.append(denormalize(mix.mixed[4], mix.stats))
    for shown, picture in zip(drawn(figure), wanted, strict=True):
        assert len(shown) == 1  # no heat map on it
        np.testing.assert_array_equal(shown[0], picture)
    assert {'Input', 'Mask', 'Mix'} < set(texts(figure))
    assert not {'Saliency', 'Transformed'} & set(texts(figure))


@pytest.mark.parametrize(
    ('lacking', 'title'), [('saliency', 'Saliency'), ('theta', 'Transformed')]
)
def test_each_step_is_there_by_itself(mix, drawn, lacking, title):
    mix = mix()
    details = {name: value for name, value in mix.details.items() if name != lacking}
    if lacking == 'theta':  # nothing moves
        details['warped'] = mix.inputs[details['index']]
    figure = draw_panel(mix.inputs, mix.mixed, details, mix.stats, rows=[0])
    assert len(drawn(figure)) == 7
    assert {'Saliency', 'Transformed'} - set(texts(figure)) == {title}


def test_images_that_move_without_a_theta_are_shown(mix, drawn):
    mix = mix()
    details = {name: value for name, value in mix.details.items() if name != 'theta'}
    figure = draw_panel(mix.inputs, mix.mixed, details, mix.stats, rows=[0])
    assert 'Transformed' in texts(figure) and len(drawn(figure)) == 9


@pytest.mark.parametrize('layout', ['rows', 'columns'])
def test_labels_tell_how_the_solver_ended(mix_plainly, assert_readable, layout):
    mix = mix_plainly('SuperMix')
    finished = torch.tensor([True, True, True, False, False])
    endings = dict(iterations=torch.tensor([0, 1, 7, 50, 9]), finished=finished)
    details = {**mix.details, **endings}
    args = (mix.inputs, mix.mixed, details, mix.stats, mix.names)
    figure = draw_panel(*args, rows=[2, 1, 0, 3], layout=layout)
    labels = [text for text in texts(figure) if text.startswith('λ₁')]
    space = ' ' if layout == 'rows' else '\n'
    wanted = ['7 steps', '1 step', '0 steps', f'not finished{space}after 50']
    for label, row, ending in zip(labels, (2, 1, 0, 3), wanted, strict=True):
        assert label.endswith(f'\n{ending}')
        assert label.startswith(f'λ₁ = {details["weights"][row, 0]:.2f}')
    assert_readable(figure)


def test_batch_too_small_to_mix(mix, drawn):
    mix = mix(num_mix=3)
    inputs = mix.inputs[:2]
    mixed, _, details = mix.augment(inputs, mix.scores[:2], return_details=True)
    cells = drawn(draw_panel(inputs, mixed, details, mix.stats))
    np.testing.assert_array_equal(cells[12][0], denormalize(inputs[0], mix.stats))


def test_drawing_changes_nothing(mix):
    mix = mix()
    before = {name: value.clone() for name, value in mix.details.items()}
    draw_panel(mix.inputs, mix.mixed, mix.details, mix.stats)
    assert all(torch.equal(before[name], mix.details[name]) for name in before)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(details={}), 'return_details=True'),
        (dict(layout='diagonal'), "'diagonal'"),
        (dict(names=['one']), 'names has 1 entries for a batch of 5'),
        (dict(rows=[5]), r'rows must be .* <= 4, got \[5\]; .* batch of 5 images'),
        (dict(rows=[]), 'rows must be'),
        (dict(channel_order='xyz'), "'xyz'"),
    ],
)
def test_errors_name_argument_and_value(mix, change, message):
    mix = mix()
    args = dict(batch_inputs=mix.inputs, mixed=mix.mixed, details=mix.details, stats=mix.stats)
    with pytest.raises(ValueError, match=message):
        draw_panel(**{**args, **change})
