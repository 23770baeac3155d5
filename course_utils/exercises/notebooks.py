"""What the room reads in the notebooks: the solved cell of an exercise, the titles, the ids of the exercises."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOM_CALLS = {"check", "hint", "solution", "progress", "quiz"}


@dataclass(frozen=True)
class Solution:
    """A solved exercise.

    Attributes
    ----------
    id : str
    code : str
        Python source, without the calls to `check` and the like.
    explanation : str
        Markdown, may be empty.
    """

    id: str
    code: str
    explanation: str

    def __str__(self) -> str:
        return f"Solution de l'exercice {self.id}\n\n{self.code}" + (
            f"\n\n{self.explanation}" if self.explanation else ""
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        markdown = f"**Solution de l'exercice {self.id}**\n\n```python\n{self.code}\n```\n\n{self.explanation}"
        return {"text/plain": str(self), "text/markdown": markdown.rstrip()}


def notebook_paths(folder: Path) -> list[Path]:
    """Return the notebooks below ``folder``, in order, without the copies that Jupyter keeps aside."""
    return sorted(path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def find_solution(exercise_id: str, folder: Path) -> Solution | None:
    """Return the solved cell of an exercise and its explanation, or None if no notebook under `folder` holds it.

    The code is the code cell whose metadata has ``exercise`` equal to the id. The explanation is the markdown cell
    whose metadata has ``explains`` equal to the id or, failing that, the one right after unless it opens a section.

    Parameters
    ----------
    exercise_id : str
        Such as ``"1-5-a"``; the notebooks named ``1-5_*`` are read first.
    folder : Path
        The ``solutions`` folder.
    """
    prefix = exercise_id.rsplit("-", 1)[0] + "_"
    for path in sorted(notebook_paths(folder), key=lambda path: (not path.name.startswith(prefix), path)):
        cells = _cells(path)
        for i, cell in enumerate(cells):
            if cell.get("cell_type") == "code" and _metadata(cell).get("exercise") == exercise_id:
                return Solution(exercise_id, without_room_calls(_source(cell)), _explanation(cells, i, exercise_id))
    return None


def exercise_ids(folder: Path) -> dict[str, list[str]]:
    """Return the ids of the exercises of each notebook under `folder`, in order: {path relative to it: ids}."""
    return {path.relative_to(folder).as_posix(): _ids(path) for path in notebook_paths(folder)}


def titles(folder: Path, day: int) -> dict[str, str]:
    """Return the titles of the notebooks of a day, by id (``"1-5"``); notebook 0-0 belongs to day 1."""
    starts = (f"{day}-", "0-") if day == 1 else (f"{day}-",)
    found = {}
    for path in notebook_paths(folder):
        if path.name.startswith(starts):
            course = _read(path).get("metadata", {}).get("course", {})
            found[path.name.split("_")[0]] = str(course.get("title", ""))
    return found


def without_room_calls(code: str) -> str:
    """Return `code` without its top-level calls to `check`, `hint`, `solution`, `progress` and `quiz`."""
    try:
        statements = ast.parse(code).body
    except SyntaxError:  # a line such as %time: the code is shown whole
        return code.strip()
    lines = code.splitlines()
    for statement in reversed(statements):
        if _is_room_call(statement):
            del lines[statement.lineno - 1 : statement.end_lineno]
    return "\n".join(lines).strip()


def _is_room_call(statement: ast.stmt) -> bool:
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    function = statement.value.func
    return isinstance(function, ast.Name) and function.id in _ROOM_CALLS


def _explanation(cells: list[dict[str, Any]], position: int, exercise_id: str) -> str:
    for cell in cells:
        if cell.get("cell_type") == "markdown" and _metadata(cell).get("explains") == exercise_id:
            return _source(cell).strip()
    after = cells[position + 1] if position + 1 < len(cells) else {}
    text = _source(after).strip()
    return "" if after.get("cell_type") != "markdown" or text.startswith(("# ", "## ")) else text


def _ids(path: Path) -> list[str]:
    cells = (cell for cell in _cells(path) if cell.get("cell_type") == "code")
    return [identity for cell in cells if (identity := _metadata(cell).get("exercise"))]


def _read(path: Path) -> dict[str, Any]:
    """Return a notebook's JSON, empty when it cannot be read: one bad file must not hide the others."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _cells(path: Path) -> list[dict[str, Any]]:
    return _read(path).get("cells", [])


def _metadata(cell: dict[str, Any]) -> dict[str, Any]:
    return cell.get("metadata", {})


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
