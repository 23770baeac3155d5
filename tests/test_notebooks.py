"""The form of the notebooks: what every lesson and every solution owes to the people who open it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from course_utils.exercises.notebooks import notebook_paths
from course_utils.guide import lessons, programme, read_lesson
from course_utils.paths import ROOT

LESSONS = notebook_paths(ROOT / "notebooks")
SOLUTIONS = notebook_paths(ROOT / "solutions")
MACHINE_PATH = re.compile(r"(?<![\w:/.])/(?:home|Users|root|tmp|work|mnt|content)/|[A-Z]:\\\\")
PICTURE = re.compile(r"image/(png|jpeg|gif|webp)")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell: dict) -> str:
    return "".join(cell["source"])


def code_cells(path: Path) -> list[dict]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def markdown(path: Path) -> str:
    return "\n\n".join(source(cell) for cell in read(path)["cells"] if cell["cell_type"] == "markdown")


every_notebook = pytest.mark.parametrize("path", LESSONS + SOLUTIONS, ids=name)
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=name)


def test_each_lesson_has_its_solutions():
    lessons_found = {path.relative_to(ROOT / "notebooks") for path in LESSONS}
    assert lessons_found == {path.relative_to(ROOT / "solutions") for path in SOLUTIONS}


@every_notebook
def test_outputs_are_those_of_one_clean_run_from_top_to_bottom(path):
    counts = [cell["execution_count"] for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@every_notebook
def test_no_error_and_no_warning_is_stored(path):
    for cell in code_cells(path):
        for output in cell["outputs"]:
            assert output["output_type"] != "error", source(cell)
            assert output.get("name") != "stderr", f"{source(cell)}\n{''.join(output['text'])}"


@every_notebook
def test_weighs_at_most_one_megabyte(path):
    assert path.stat().st_size <= 1_000_000


@every_notebook
def test_names_no_path_of_a_machine(path):
    for cell in read(path)["cells"]:
        text = source(cell) + json.dumps(
            [o.get("text") or o.get("data", {}).get("text/plain") for o in cell.get("outputs", [])]
        )
        assert not MACHINE_PATH.search(text), text[:300]


@every_notebook
def test_every_picture_has_an_alternative_text(path):
    assert not re.search(r"!\[\s*\]\(", markdown(path)), "a picture of the text has no alternative text"
    for cell in code_cells(path):
        for output in cell["outputs"]:
            for kind in filter(PICTURE.match, output.get("data", {})):
                alt = output["metadata"].get(kind, {}).get("alt", "")
                assert len(alt) >= 15, f"no alternative text: {source(cell)}"
            page = "".join(output.get("data", {}).get("text/html", ""))
            for tag in re.findall(r"<img[^>]*>", page):
                assert re.search(r'alt="[^"]{15,}"', tag), tag[:100]
            for tag in re.findall(r"<video[^>]*>", page):
                assert re.search(r'aria-label="[^"]{15,}"', tag), tag[:100]


@every_notebook
def test_cells_have_unique_identifiers(path):
    identifiers = [cell["id"] for cell in read(path)["cells"]]
    assert len(set(identifiers)) == len(identifiers)


@every_notebook
def test_runs_on_the_kernel_that_every_installation_has(path):
    assert read(path)["metadata"]["kernelspec"]["name"] == "python3"


@every_lesson
def test_lesson_metadata(path):
    lesson = read_lesson(path)
    assert path.name.startswith(f"{lesson.id}_")
    assert path.parent.name in {"notebooks", f"jour{lesson.day}", "complements"}
    assert 0 < lesson.practical_minutes < lesson.minutes
    assert 2 <= len(lesson.objectives) <= 6
    assert lesson.instructor.strip()
    assert set(map(str, lesson.syllabus)) <= set(programme()["rows"])


@every_lesson
def test_lesson_has_the_parts_of_a_lesson(path):
    text, cells = markdown(path), read(path)["cells"]
    assert re.match(r"# \d·\d — ", source(cells[0])), "the first cell is the title, as « # 1·5 — … »"
    for part in ("vous saurez", "À retenir", "Références"):
        assert part in text, part
    assert 20 <= len(cells) <= 45 or path.name.startswith("0-0")
    retain = (
        next(source(cell) for cell in cells if "## À retenir" in source(cell))
        .split("## À retenir")[1]
        .split("\n## ")[0]
    )
    assert 1 <= len(re.findall(r"^- ", retain, flags=re.MULTILINE)) <= 5
    assert re.search(r"\b(19|20)\d\d\b", text.split("Références")[-1]), "references carry their year"


@every_lesson
def test_each_exercise_stub_ends_with_its_check(path):
    lesson = read_lesson(path)
    assert 1 <= len(lesson.exercises) <= 5
    for cell in read(path)["cells"]:
        if identifier := cell["metadata"].get("exercise"):
            assert f'check("{identifier}"' in source(cell).strip().splitlines()[-1]
            assert identifier.startswith(lesson.id)


@every_lesson
def test_the_quiz_closes_the_lesson(path):
    assert f'quiz("{read_lesson(path).id}")' in source(code_cells(path)[-1])


@every_lesson
def test_code_cells_stay_short(path):
    for cell in code_cells(path):
        lines = [line for line in source(cell).splitlines() if line.strip()]
        assert len(lines) <= 25, source(cell)


@every_lesson
def test_stubs_are_untouched(path):
    for cell in code_cells(path):
        if "exercise" in cell["metadata"]:
            assert "..." in source(cell), source(cell)


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_solution_cells_are_solved(path):
    for cell in code_cells(path):
        if "exercise" in cell["metadata"]:
            printed = json.dumps(cell["outputs"], ensure_ascii=False)
            assert "Réussi" in printed, source(cell)


@every_notebook
def test_french_punctuation_is_not_broken_across_lines(path):
    prose = re.sub(
        r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|https?://\S+", "", markdown(path), flags=re.DOTALL
    )
    prose = re.sub(r"^\s*\|?[\s:|-]+\|?\s*$", "", prose, flags=re.MULTILINE)
    for wrong in re.findall(r"[^\n]{0,30}(?: [;:!?»]|« |(?<=\w)[;!?](?=\s))[^\n]{0,10}", prose):
        pytest.fail(f"an ordinary space, or none, where French wants a no-break one: « {wrong} »")


# Of Day 4, the morning is written.
@pytest.mark.parametrize(
    ("number", "minutes", "exercises", "rows"),
    [(1, 420, 25, range(1, 14)), (2, 420, 25, range(14, 23)), (4, 200, 15, (30, 31, 34))],
)
def test_a_day_lasts_what_is_announced_with_sixty_per_cent_of_practice(number, minutes, exercises, rows):
    day = [lesson for lesson in lessons() if lesson.day == number]
    assert sum(lesson.minutes for lesson in day) == minutes
    assert 0.55 <= sum(lesson.practical_minutes for lesson in day) / minutes <= 0.65
    assert sum(len(lesson.exercises) for lesson in day) >= exercises
    assert {row for lesson in day for row in lesson.syllabus} >= set(rows)


def test_orders_are_distinct_within_a_day():
    places = [(lesson.day, lesson.order) for lesson in lessons()]
    assert len(set(places)) == len(places)
