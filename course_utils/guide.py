"""GUIDE.md, composed from the notebooks' metadata: ``python -m course_utils.guide`` (or ``make guide``)."""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.exercises.notebooks import notebook_paths
from course_utils.paths import ROOT

HEAD = """\
# Guide du formateur

<!-- Composé par « make guide » d'après les métadonnées des notebooks : modifiez celles-ci, pas ce fichier. -->

Chaque notebook s'exécute du haut en bas sans réseau et sans carte graphique, exercices laissés tels quels : une
démonstration ne s'arrête jamais sur un exercice non résolu. La colonne « pratique » compte les minutes où les
participants ont les mains sur le clavier ; les corrigés, exécutés eux aussi, portent le même nom dans `solutions/`.
"""


@dataclass(frozen=True)
class Lesson:
    """What the course needs to know of one notebook, read from its metadata.

    Attributes
    ----------
    path : str
        Path of the notebook from the repository's root, with ``/``.
    id, title : str
        For instance ``"1-5"`` and ``"La rétropropagation, à la main"``.
    day, order : int
        Place in the timetable.
    minutes, practical_minutes : int
        Time in class, and the part of it spent on the keyboard.
    objectives : tuple of str
        What a participant can do at the end.
    syllabus : tuple of int
        Rows of the programme (``data/programme.toml``) that the notebook teaches.
    instructor : str
        A note for the person who presents it.
    exercises : tuple of str
        Identifiers of its exercises, in order.
    """

    path: str
    id: str
    title: str
    day: int
    order: int
    minutes: int
    practical_minutes: int
    objectives: tuple[str, ...]
    syllabus: tuple[int, ...]
    instructor: str
    exercises: tuple[str, ...]

    @property
    def link(self) -> str:
        """Markdown link to the notebook."""
        return f"[{self.id.replace('-', '·')} — {self.title}]({self.path})"


def read_lesson(path: Path) -> Lesson:
    """Read one notebook's ``course`` metadata.

    Raises
    ------
    ValueError
        If the notebook has no ``course`` metadata, or if a field is missing.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    course = notebook["metadata"].get("course")
    if course is None:
        raise ValueError(f"{path.name}: no « course » metadata; see README, « Ajouter un notebook »")
    wanted = ("id", "title", "day", "order", "minutes", "practical_minutes", "objectives", "syllabus", "instructor")
    if missing := [name for name in wanted if name not in course]:
        raise ValueError(f"{path.name}: « course » metadata lacks {', '.join(missing)}")
    exercises = [cell["metadata"]["exercise"] for cell in notebook["cells"] if "exercise" in cell["metadata"]]
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value := course[name], list) else value for name in wanted
    }
    return Lesson(path=path.relative_to(ROOT).as_posix(), exercises=tuple(exercises), **fields)


def lessons() -> list[Lesson]:
    """Return every lesson of the course, in the order of the timetable."""
    found = map(read_lesson, notebook_paths(ROOT / "notebooks"))
    return sorted(found, key=lambda lesson: (lesson.day, lesson.order))


def programme() -> dict:
    """Return the programme: titles of the days, rows, itineraries (``data/programme.toml``)."""
    return tomllib.loads((ROOT / "data" / "programme.toml").read_text(encoding="utf-8"))


def _hours(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60:02d}" if minutes >= 60 else f"{minutes} min"


def _timetable(day: str, title: str, of_day: list[Lesson]) -> str:
    total, practical = sum(x.minutes for x in of_day), sum(x.practical_minutes for x in of_day)
    heading = f"### Jour {day} : {title}" if int(day) <= 4 else f"### {title}"
    if not of_day:
        return f"{heading}\n\nÀ venir."
    rows = []
    for x in of_day:
        syllabus = ", ".join(map(str, x.syllabus)) or "–"
        rows.append(f"| {x.link} | {x.minutes} | {x.practical_minutes} | {len(x.exercises)} | {syllabus} |")
    count = sum(len(x.exercises) for x in of_day)
    return "\n".join(
        [
            heading,
            "",
            f"{_hours(total)}, dont {_hours(practical)} de pratique ({practical / total:.0%}).".replace("%", " %"),
            "",
            "| Notebook | Minutes | Pratique | Exercices | Lignes du programme |",
            "|---|---:|---:|---:|---|",
            *rows,
            f"| **Total** | **{total}** | **{practical}** | **{count}** | |",
        ]
    )


def _itinerary(number: int, itinerary: dict, found: list[Lesson]) -> str:
    lines = [f"### {number}. {itinerary['title']}", "", itinerary["text"], "", "| Étape | Notebooks |", "|---|---|"]
    for step in itinerary["lines"]:
        taught = [x for x in found if set(x.syllabus) & set(step["rows"])]
        coming = sorted(set(step["rows"]) - {row for x in found for row in x.syllabus})
        cells = [x.link for x in taught]
        if coming:
            cells.append(f"*à venir : ligne{'s' if len(coming) > 1 else ''} {', '.join(map(str, coming))}*")
        lines.append(f"| {step['label']} | {'<br>'.join(cells)} |")
    return "\n".join(lines)


def _notes(lesson: Lesson) -> str:
    objectives = "\n".join(f"- {objective}" for objective in lesson.objectives)
    return f"### {lesson.link}\n\n{objectives}\n\n{lesson.instructor}"


def compose(found: list[Lesson], course: dict) -> str:
    """Compose the whole text of GUIDE.md.

    Parameters
    ----------
    found : list of Lesson
        The lessons, in order.
    course : dict
        The programme, as ``programme()`` returns it.

    Returns
    -------
    str
        Markdown, ending with a newline.
    """
    rows = [
        f"| {row} | {title} | {'<br>'.join(x.link for x in found if int(row) in x.syllabus) or '*à venir*'} |"
        for row, title in course["rows"].items()
    ]
    parts = [
        HEAD,
        "## Emploi du temps",
        *(_timetable(day, title, [x for x in found if x.day == int(day)]) for day, title in course["days"].items()),
        "## Itinéraires",
        *(_itinerary(k, itinerary, found) for k, itinerary in enumerate(course["itineraries"], start=1)),
        "## Le programme, ligne à ligne",
        "\n".join(["| Ligne | Sujet | Notebooks |", "|---:|---|---|", *rows]),
        "## Notes pour le formateur",
        *map(_notes, found),
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n\n".join(parts)) + "\n"


def main() -> None:
    """Write GUIDE.md at the root of the repository, whole or not at all."""
    text = compose(lessons(), programme())
    partial = ROOT / "GUIDE.md.part"
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, ROOT / "GUIDE.md")


if __name__ == "__main__":
    main()
