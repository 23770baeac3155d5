"""`progress`: a bar for each day, a line for each notebook, a mark for each exercise."""

from __future__ import annotations

import html
from dataclasses import dataclass

from course_utils.exercises import declare
from course_utils.exercises.notebooks import titles
from course_utils.exercises.record import RECORD, Entry
from course_utils.exercises.verdict import Notice, show

_GREEN, _ORANGE, _GREY = "#009e73", "#d55e00", "#8a8f98"
_BAR = 20


@dataclass(frozen=True)
class Count:
    """Exercises solved and tried (without success yet) out of a total; the marks follow the order of the ids."""

    solved: int
    tried: int
    total: int
    marks: str

    def __str__(self) -> str:
        return f"{self.solved} réussi{'s' * (self.solved > 1)}, {self.tried} à revoir, sur {self.total}"


@dataclass(frozen=True)
class Journey:
    """Progress through the course: for each day its notebooks, each with its title and its exercises.

    Attributes
    ----------
    days : dict
        ``{day: {notebook id: (title, Count)}}``.
    """

    days: dict[int, dict[str, tuple[str, Count]]]

    def __str__(self) -> str:
        return "\n".join(line for day in self.days for line in self._day_lines(day))

    def _day_lines(self, day: int) -> list[str]:
        count = _total(self.days[day])
        solved = _BAR * count.solved // count.total
        reached = _BAR * (count.solved + count.tried) // count.total
        bar = "█" * solved + "▒" * (reached - solved) + "·" * (_BAR - reached)
        lines = [f"Jour {day}  {bar}  {count}"]
        for notebook, (title, one) in self.days[day].items():
            lines.append(f"  {notebook.replace('-', '·')}  {one.marks:<8} {one.solved}/{one.total}  {title}".rstrip())
        return lines

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        legend = "".join(
            f'<span style="margin-right:1.2em"><b style="color:{colour}">{mark}</b> {word}</span>'
            for mark, word, colour in (("✓", "réussi", _GREEN), ("✗", "à revoir", _ORANGE), ("○", "non tenté", _GREY))
        )
        body = "".join(self._day_html(day) for day in self.days)
        page = (
            f'<div style="max-width:56em;line-height:1.5;color:inherit">{body}'
            f'<div style="margin-top:.6em;font-size:.9em;opacity:.85">{legend}</div></div>'
        )
        return {"text/plain": str(self), "text/html": page}

    def _day_html(self, day: int) -> str:
        count = _total(self.days[day])
        parts = "".join(
            f'<span style="width:{100 * number / count.total:.2f}%;background:{fill}"></span>'
            for number, fill in ((count.solved, _GREEN), (count.tried, _STRIPES))
        )
        rows = "".join(_row(notebook, title, one) for notebook, (title, one) in self.days[day].items())
        return (
            f'<div style="display:flex;align-items:center;gap:.8em;margin-top:.7em">'
            f'<strong style="width:4em">Jour {day}</strong>'
            f'<div role="img" aria-label="{count}" style="flex:1;max-width:24em;height:.8em;display:flex;'
            f'overflow:hidden;border-radius:.4em;background-color:rgba(127,127,127,.25)">{parts}</div>'
            f"<span>{count}</span></div>"
            f'<div style="display:grid;grid-template-columns:2.5em minmax(9em,max-content) 1fr;gap:.05em .9em;'
            f'margin:.3em 0 0 4.8em">{rows}</div>'
        )


# Stripes, so that the two parts of the bar differ by more than their colour.
_STRIPES = f"repeating-linear-gradient(135deg,{_ORANGE} 0 4px,transparent 4px 7px)"


def _row(notebook: str, title: str, one: Count) -> str:
    colours = {"✓": _GREEN, "✗": _ORANGE, "○": _GREY}
    marks = "".join(f'<b style="color:{colours[mark]};margin-right:.25em">{mark}</b>' for mark in one.marks)
    return f"<span>{notebook.replace('-', '·')}</span><span>{marks}</span><span>{html.escape(title)}</span>"


def _total(notebooks: dict[str, tuple[str, Count]]) -> Count:
    counts = [count for _, count in notebooks.values()]
    return Count(
        sum(one.solved for one in counts), sum(one.tried for one in counts), sum(one.total for one in counts), ""
    )


def _count(ids: list[str], entries: dict[str, Entry]) -> Count:
    known = [entries.get(identity, Entry()) for identity in ids]
    marks = "".join("✓" if entry.solved else "✗" if entry.attempts else "○" for entry in known)
    return Count(marks.count("✓"), marks.count("✗"), len(ids), marks)


def journey() -> Journey:
    """Return the progress recorded on this machine, over all the exercises of the course."""
    from course_utils.paths import ROOT

    entries = RECORD.entries()
    days: dict[int, dict[str, tuple[str, Count]]] = {}
    for day in declare.REGISTRY.days():
        names = titles(ROOT / "notebooks", day)
        by_notebook: dict[str, list[str]] = {}
        for exercise in declare.REGISTRY.of_day(day):
            by_notebook.setdefault(exercise.notebook, []).append(exercise.id)
        days[day] = {key: (names.get(key, ""), _count(ids, entries)) for key, ids in by_notebook.items()}
    return Journey(days)


def progress() -> None:
    """Show what is solved, tried and left in each notebook of each day."""
    found = journey()
    show(found if found.days else Notice("Votre progression", "aucun exercice n'est encore installé."))
