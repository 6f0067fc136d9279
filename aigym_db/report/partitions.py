"""The text of `partitions`: one line per step."""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.model.wording import counted
from aigym_db.partitions.plan import UNFIT, PartitionPlan, PartitionStep


def line(step: PartitionStep) -> str:
    """Return the line of a step."""
    names = [partition.name for partition in step.partitions]
    name = names[0] if names else step.layout.partition_name(None)
    span = f"{name} to {names[-1]}" if len(names) > 1 else name
    ending = {
        "copy": f"  ({counted(step.rows, 'row')} of the overflow partition)",
        "create": f"  ({counted(len(names), 'partition')}"
        + (f", {counted(step.rows, 'row')} of the overflow partition)" if step.rows else ")"),
        "detach": "".join(
            f"  (neither archived nor dropped: its name is not {step.layout.partition_name(due.interval)})"
            for due in step.partitions
            if due.name != step.layout.partition_name(due.interval)
        ),
    }.get(step.kind, "")
    return f"{step.kind.ljust(8)} {step.layout.table}  {span}{ending}"


def lines(plan: PartitionPlan) -> Iterator[str]:
    """Yield the lines of a plan."""
    for step in plan.steps:
        yield line(step)
    yield from notes(plan)
    yield f"{counted(len(plan.steps), 'step')} due." if plan.steps else "Nothing is due."


def notes(plan: PartitionPlan) -> Iterator[str]:
    """Yield a line for each table without steps, and each partition that remains without an archive."""
    for table in plan.skipped:
        yield f"skipped  {table}  ({UNFIT})"
    for name in plan.unarchived:
        yield f"detached {name}  (not archived: the setting `partition_archive` is missing)"
