"""All that a page shows of one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmtmix.engine.run_record import DONE, FAILED, INTERRUPTED, RUNNING, STOPPED

from .charts import Chart
from .classes import ClassReport, class_report
from .config_changes import Change
from .curves import run_charts
from .figures import TOP1, Fact, Final, costs, environment, final_figures, seconds_in_log
from .pictures import Picture, panels
from .predicted import Predicted, predictions_of
from .present_config import compare_with_base, read_present_config
from .root import find_root, working_in
from .stage_rows import StageRow, is_progress, stage_rows
from .training_text import describe_training, method_of
from .work_dir import WorkDir

_STATES = {
    RUNNING: 'It is running now, so all figures are of a part of the training',
    DONE: 'Done',
    STOPPED: 'It was stopped by a signal before its end, so all figures are of a part of it',
    FAILED: 'It failed before its end, so all figures are of a part of the training',
    INTERRUPTED: 'It was killed before its end, so all figures are of a part of the training',
}


@dataclass
class RunSection:
    """What a page shows of a run.

    Attributes:
        id: Beginning of the names of its anchors.
        name: Short name, which differs from those of the other runs of the page.
        path: Work dir as the user gave it.
        work_dir: Content of the work dir.
        text: Sentence about what was trained.
        state_text: Sentence about its state.
        finals: Final figures of each metric.
        charts: Curves.
        galleries: Panels of the run and of its stages: a sentence and the pictures.
        picture_faults: Sentences about pictures that cannot be read.
        predicted: Predictions, or why there are none.
        classes: What they show; None without.
        costs: Times and memory.
        cost_notes: Sentences about what is not known of them.
        stages: Its stages.
        base_text: Sentence about its base.
        base_changes: Fields in which it differs from that.
        environment: Where and with what it was made.
    """

    id: str
    name: str
    path: str
    work_dir: WorkDir
    text: str
    state_text: str
    finals: list[Final]
    charts: list[Chart]
    galleries: list[tuple[str, list[Picture]]]
    picture_faults: list[str]
    predicted: Predicted
    classes: ClassReport | None
    costs: list[Fact]
    cost_notes: list[str]
    stages: list[StageRow]
    base_text: str = ''
    base_changes: list[Change] = field(default_factory=list)
    environment: list[Fact] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Sentences about what is damaged or missing."""
        return self.work_dir.faults

    @property
    def top1(self) -> Final | None:
        """Final figures of the top-1 accuracy; None if it was not validated."""
        return next((final for final in self.finals if final.metric == TOP1), None)

    @property
    def method(self) -> str:
        """Short name of its method."""
        return method_of(self.work_dir.config)

    @property
    def seed(self) -> int | None:
        """Its seed; None if unknown."""
        return self.stages[-1].seed

    @property
    def seconds(self) -> float | None:
        """Its duration without the stages that it requires; None if unknown."""
        return self.stages[-1].seconds

    @property
    def state(self) -> str:
        """Its state, in words."""
        return self.stages[-1].state


def run_section(
    run: WorkDir, identity: str, name: str, predicts: bool, device: str | None
) -> RunSection:
    """Return what a page shows of a run.

    Args:
        run: Content of its work dir.
        identity: Beginning of the names of its anchors.
        name: Short name of the run.
        predicts: Whether a network and configs may be run, which trusts the work dir.
        device: Device that predicts; by default the accelerator.
    """
    given = str(run.path)
    place = Path.cwd() if predicts else None
    run.path = run.path.resolve()  # the present folder changes below
    run.checkpoint = run.checkpoint and run.checkpoint.resolve()
    with working_in(find_root(run)):
        run.path = _relative(run.path)
        present = read_present_config(run, place)
        stages = stage_rows(run, present)
        predicted = predictions_of(run, predicts, device)
        galleries, picture_faults = _galleries(stages)
        base_text, base_changes = compare_with_base(present)
        finals = final_figures(run.scalars.val) if run.scalars else []
        return RunSection(
            id=identity,
            name=name,
            path=given,
            work_dir=run,
            text=describe_training(run.config),
            state_text=_state_text(run),
            finals=finals,
            charts=run_charts({name: run.scalars}) if run.scalars else [],
            galleries=galleries,
            picture_faults=picture_faults,
            predicted=predicted,
            classes=class_report(predicted.predictions) if predicted.predictions else None,
            costs=_costs(run, stages),
            cost_notes=_cost_notes(run),
            stages=stages,
            base_text=base_text,
            base_changes=base_changes,
            environment=environment(run),
        )


def _state_text(run: WorkDir) -> str:
    text = _STATES.get(run.state or '', 'There is no record of its state')
    progress: Any = run.record.get('progress')
    if run.state != DONE and is_progress(progress):
        text += f': {progress[0]:,} of {progress[1]:,} steps'
    if run.record.get('error'):
        text += f'. It ended with: {run.record["error"]}'
    updated = run.record.get('updated')
    return f'{text}. Last written {updated}.' if updated else f'{text}.'


def _galleries(stages: list[StageRow]) -> tuple[list[tuple[str, list[Picture]]], list[str]]:
    """Return the panels of the stages that have some, those of the run itself first."""
    galleries, faults = [], []
    for number, row in enumerate(reversed(stages)):
        if row.work_dir is None:
            continue
        found, broken = panels(row.work_dir.path)
        faults += broken
        if found:
            galleries.append((f'Of the stage {row.name}:' if number else '', found))
    return galleries, faults


def _costs(run: WorkDir, stages: list[StageRow]) -> list[Fact]:
    facts = []
    for row in stages:
        name = 'This run' if row is stages[-1] else row.name
        if row.seconds is not None:
            facts.append(Fact(name, f'{row.seconds:,.1f} s'))
        elif row.work_dir is not None and (seconds := seconds_in_log(row.work_dir)):
            note = 'training steps alone, from the log'
            facts.append(Fact(name, f'about {seconds:,.1f} s', note))
    known = [row.seconds for row in stages if row.seconds is not None]
    if len(stages) > 1 and len(known) == len(stages):
        facts.append(Fact('All stages', f'{sum(known):,.1f} s'))
    return facts + costs(run)


def _cost_notes(run: WorkDir) -> list[str]:
    """Return sentences about costs that neither record nor log has."""
    train = run.scalars.train if run.scalars else []
    notes = []
    if 'teacher' in str(run.config.get('model')) and not any('teacher_time' in r for r in train):
        notes.append("The teacher's share of a step was not logged, and is part of its time.")
    if train and not any('memory' in record for record in train):
        notes.append('Peak memory was not logged; MMEngine logs it on GPUs alone.')
    return notes


def _relative(path: Path) -> Path:
    """Return a path relative to the present folder, if it lies below."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
