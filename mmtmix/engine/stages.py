"""Runs that need the files of other runs: their order, and which of them are missing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mmengine.config import Config

from mmtmix.program import program
from mmtmix.utils import is_shipped, load_config, shipped_file
from mmtmix.utils.config_options import flat_options, option_words
from mmtmix.utils.variants import variant_words
from mmtmix.utils.work_dirs import folder_of

from .claims import on_main_process
from .run_record import DONE, read_record
from .stage_seeds import OF_RUN, STAGE_SEEDS, move_paths, shift_entry, stage_shift

Maker = tuple[str, Mapping[str, Any], Mapping[str, Any]]


@dataclass
class Stage:
    """One run of a launch.

    Attributes:
        config: Path of its config.
        cfg: Content of its config.
        produces: Path of the file that shows it is finished; None for the last run, which no
            other one requires.
        goes_on: Whether it continues from the newest checkpoint in its work dir.
        variants: Values, by name, of the variants that its config was read with.
        options: Values of overridden fields, by names with dots.
        seed_shift: What was added to the seeds of the stages that it requires because their seeds
            follow from its own, >= 0; 0 if they do not.
    """

    config: str
    cfg: Config
    produces: str | None = None
    goes_on: bool = False
    variants: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    seed_shift: int = 0

    @property
    def maker(self) -> Maker:
        """Config, variants and overrides, which make it another stage than others."""
        return self.config, self.variants, self.options

    @property
    def name(self) -> str:
        """Name ``<method>/<config>``, with the variants of the run; a work dir for overrides."""
        if self.options and self.produces is not None:  # the config's own name is of another run
            return os.path.relpath(os.path.dirname(self.produces), 'work_dirs')
        return os.path.relpath(folder_of(self.config, self.variants), 'work_dirs')

    @property
    def has_file(self) -> bool:
        """Whether its file exists, whoever made it."""
        return self.produces is not None and os.path.isfile(self.produces)

    @property
    def is_finished(self) -> bool:
        """Whether its file exists and is that of the run in the record beside it.

        A run that was begun anew and not finished leaves the file of the run before it. A file
        without a record counts, and so does one whose record holds no state.

        Raises:
            ValueError: If the record is damaged.
        """
        if self.produces is None or not self.has_file:
            return False
        return read_record(os.path.dirname(self.produces)).get('state', DONE) == DONE

    @property
    def command(self) -> str:
        """Command line that runs it alone."""
        words = [self.config, *variant_words(self.variants)]
        words += ['--work-dir', os.path.dirname(self.produces or '')]
        words += option_words(self.options)
        return f'{program("train")} {shlex.join(words)}'


def plan_stages(
    config: str,
    cfg: Config,
    variants: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> list[Stage]:
    """Return the runs that a config needs, in an order in which they can run, and itself last.

    Args:
        config: Path of the config.
        cfg: Content of the config. ``requires=[dict(config=..., produces=...), ...]`` names the
            runs whose files it uses; see :func:`mmtmix.recipes.stage`. An entry may have
            ``variants`` of the other config, and ``options`` that override its fields. One whose
            file comes with the package, ``mmtmix://NAME``, needs no run. With ``stage_seeds`` the
            entries get seeds and folders of their own, and paths in those folders follow, see
            :mod:`mmtmix.engine.stage_seeds`. The content is changed in place.
        variants: Values, by name, of the variants that the config was read with.
        seed: Seed of the run, >= 0, for ``stage_seeds='run'``; by default that of the config.

    Returns:
        The runs, each once.

    Raises:
        FileNotFoundError: If a config does not exist.
        ValueError: If a ``requires`` is malformed, two configs produce the same file, or configs
            require each other. Or if the package has no weights of a name, or there is no seed
            that ``stage_seeds`` needs.
    """
    plan = _StagePlan()
    plan.visit(cfg, config, (os.path.normpath(config),), seed)
    follows = cfg.get(STAGE_SEEDS) == OF_RUN
    shift = stage_shift(cfg, config, seed) if follows else 0
    last = Stage(config, cfg, variants=dict(variants or {}), seed_shift=shift or 0)
    return [*plan.stages.values(), last]


class _StagePlan:
    """The stages that a config requires, in an order in which they can run.

    Attributes:
        stages: Stages by the files that they produce.
    """

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}
        # folders of each stage and of those that it requires, which have seeds of their own
        self._moved: dict[str, dict[str, str]] = {}

    def visit(
        self, cfg: Config, config: str, above: tuple[str, ...], seed: int | None = None
    ) -> dict[str, str]:
        """Add what a config requires, and return the folders that were moved, with the new ones.

        Args:
            cfg: Content of the config.
            config: Path of the config.
            above: Paths of the configs that require it, and its own.
            seed: Seed of the run; None takes that of the config.
        """
        shift = stage_shift(cfg, config, seed)
        own: dict[str, str] = {}
        below: dict[str, str] = {}
        for needed in cfg.get('requires') or ():
            _check_entry(needed, config)
            if is_shipped(needed['produces']):
                if shift is not None:
                    raise ValueError(
                        f'{config} requires {needed["produces"]}, which all seeds share; leave '
                        f'out {STAGE_SEEDS}, or make these weights by a run'
                    )
                # it comes with the package: no run has to make it
                shipped_file(needed['produces'])
                continue
            if shift is not None:
                own |= shift_entry(needed, shift, config)
            below |= self._add(needed, config, above)
        moved = below | own
        if moved:
            move_paths(cfg._cfg_dict, moved)
        return moved

    def _add(
        self, needed: Mapping[str, Any], config: str, above: tuple[str, ...]
    ) -> dict[str, str]:
        """Add a required run after those that it requires, and return their moved folders."""
        path, produces = map(os.path.normpath, (needed['config'], needed['produces']))
        chosen = dict(needed.get('variants') or {})
        options = flat_options(needed.get('options') or {})
        if not os.path.dirname(produces):
            raise ValueError(
                f'produces={produces!r} in {config} needs a folder, the work dir of {path}, '
                f'such as {folder_of(path, chosen)}/last.pth'
            )
        if path in above:
            raise ValueError(f'configs require each other: {" -> ".join((*above, path))}')
        if produces in self.stages:
            check_maker(self.stages[produces], (path, chosen, options))
            return self._moved[produces]
        needed_cfg = load_config(path, options, chosen)
        needed_cfg.work_dir = os.path.dirname(produces)
        self._moved[produces] = self.visit(needed_cfg, path, (*above, path))
        self.stages[produces] = Stage(path, needed_cfg, produces, variants=chosen, options=options)
        return self._moved[produces]


def _check_entry(needed: Any, config: str) -> None:
    """Refuse an entry of `requires` that is malformed."""
    required, optional = {'config', 'produces'}, {'variants', 'options'}
    if not isinstance(needed, dict) or set(needed) - optional != required:
        raise ValueError(
            f'requires in {config} must list dict(config=..., produces=...), some with '
            f'variants or options, got {needed!r}'
        )


def check_maker(stage: Stage, maker: Maker, user: str = '') -> None:
    """Refuse that a file is produced by two configs.

    Args:
        stage: Stage that produces it.
        maker: Config, variants and overrides that would produce it, too.
        user: Name of the run that requires it of these; empty for the same run.

    Raises:
        ValueError: If the stage has others.
    """
    if stage.maker != maker:
        link = f' and, for {user},' if user else ' and'
        raise ValueError(
            f'{stage.produces} is produced by {words_of(*stage.maker)}{link} by '
            f'{words_of(*maker)}; give each its own work dir'
        )


def check_stages(stages: Sequence[Stage]) -> list[Stage]:
    """Return the stages that still have to run, by the files that the main process finds.

    Args:
        stages: Stages from :func:`plan_stages`.

    Returns:
        The last stage, and those that are required and not finished. A stage that only a finished
        one requires does not run again.

    Raises:
        ValueError: If a record is damaged.
    """
    numbers = on_main_process(partial(_missing, stages))
    return [stages[number] for number in numbers]


def _missing(stages: Sequence[Stage]) -> list[int]:
    """Return the positions of the stages that still have to run, in order."""
    wanted = {len(stages) - 1}
    produced_by = {stage.produces: number for number, stage in enumerate(stages)}
    for number in range(len(stages) - 1, -1, -1):
        if number in wanted:
            for file in required_files(stages[number].cfg):
                other = produced_by[file]
                if not stages[other].is_finished:
                    wanted.add(other)
    return sorted(wanted)


def required_by(stage: Stage, stages: Sequence[Stage]) -> list[Stage]:
    """Return the stages whose files a stage uses itself.

    Args:
        stage: One of the stages.
        stages: Stages from :func:`plan_stages`.
    """
    needed = set(required_files(stage.cfg))
    return [other for other in stages if other.produces in needed]


def required_files(cfg: Config) -> list[str]:
    """Return the paths of the files that a run requires of other runs, in order.

    Args:
        cfg: Config of the run, which was planned. Weights of the package are left out.
    """
    files = [needed['produces'] for needed in cfg.get('requires') or ()]
    return [os.path.normpath(file) for file in files if not is_shipped(file)]


def words_of(config: str, variants: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """Return a config, its variants and its overrides as words of a command line.

    Args:
        config: Path of the config.
        variants: Values of the variants by name.
        options: Values of overridden fields, by names with dots.
    """
    return shlex.join([config, *variant_words(variants), *option_words(options)])
