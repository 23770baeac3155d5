"""The three verdicts of a check, and how every answer of the room is shown.

A check ends in one of three ways: it returns (the answer is right), it raises `Refusal` (wrong, with the diagnosis) or
it raises `Untried` (the participant has not begun). `Verdict` is the result, `Notice` any other line of the room.
Both show as HTML in Jupyter and as short, deterministic text elsewhere.
"""

from __future__ import annotations

import html
import re
import sys
from dataclasses import dataclass
from typing import Literal

Status = Literal["untried", "wrong", "right"]

# Okabe and Ito's palette (2008): told apart by every kind of colour vision; each colour also has its symbol.
_LOOK: dict[str, tuple[str, str, str]] = {
    "right": ("✓", "Réussi", "#009e73"),
    "wrong": ("✗", "À revoir", "#d55e00"),
    "untried": ("○", "Non tenté", "#8a8f98"),
    "note": ("›", "", "#0072b2"),
}


class Refusal(Exception):  # noqa: N818 - a verdict, not a fault
    """The answer is wrong; the text of the exception is the diagnosis that the participant reads."""


class Untried(Exception):  # noqa: N818 - a verdict, not a fault
    """The answer is an untouched stub; the text of the exception says what is still to be filled in."""


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer.

    Attributes
    ----------
    id : str
        Exercise, such as ``"1-5-a"``.
    status : {"untried", "wrong", "right"}
    message : str
        One or two sentences in French; code stands between backticks.
    crash : BaseException or None
        An exception raised by the check itself (not by the participant's code): a fault to repair in the check.
    """

    id: str
    status: Status
    message: str
    crash: BaseException | None = None

    @property
    def title(self) -> str:
        """Name of the verdict: Réussi, À revoir or Non tenté."""
        return _LOOK[self.status][1]

    def __str__(self) -> str:
        symbol, title, _ = _LOOK[self.status]
        joint = ". " if self.status == "right" else " : "
        return typeset(f"{symbol} {self.id} · {title}{joint if self.message else ''}{self.message}")

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        symbol, title, colour = _LOOK[self.status]
        return {"text/plain": str(self), "text/html": card(symbol, f"{title} · {self.id}", self.message, colour)}


@dataclass(frozen=True)
class Notice:
    """A line of the room that is not a verdict: a hint, a warning, an unknown id.

    Attributes
    ----------
    title : str
        A few words, may be empty.
    message : str
        Text in French; code stands between backticks.
    """

    title: str
    message: str

    def __str__(self) -> str:
        return typeset(f"{self.title} : {self.message}" if self.title else self.message)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        symbol, _, colour = _LOOK["note"]
        return {"text/plain": str(self), "text/html": card(symbol, self.title, self.message, colour)}


def card(symbol: str, title: str, message: str, colour: str) -> str:
    """Return one framed message as HTML that reads well on a light and on a dark page.

    The text inherits the colour of the page; only the edge and a faint tint carry the colour of the verdict.
    """
    head = f'<strong style="margin-right:.6em">{html.escape(title)}</strong>' if title else ""
    return (
        f'<div role="status" style="display:flex;gap:.7em;margin:.4em 0;padding:.55em .9em;max-width:56em;'
        f'border-left:4px solid {colour};border-radius:3px;background-color:{colour}1f;color:inherit;line-height:1.5">'
        f'<span aria-hidden="true" style="color:{colour};font-weight:bold;font-size:1.15em;line-height:1.3">'
        f"{symbol}</span>"
        f"<div>{head}{rich(message)}</div></div>"
    )


def typeset(text: str) -> str:
    """Return French text with no-break spaces where its typography wants them; code between backticks is left alone."""
    parts = text.split("`")
    parts[::2] = [re.sub(r" (?=[:;!?»])|(?<=«) ", "\u00a0", part) for part in parts[::2]]
    return "`".join(parts)


def rich(text: str) -> str:
    """Return French `text` as HTML: typeset, escaped, ``code`` between backticks set as code, new lines kept."""
    code = '<code style="background-color:rgba(127,127,127,.16);color:inherit;padding:0 .25em;border-radius:3px">'
    parts = re.split(r"`([^`]+)`", typeset(text))
    escaped = [html.escape(part) if i % 2 == 0 else f"{code}{html.escape(part)}</code>" for i, part in enumerate(parts)]
    return "".join(escaped).replace("\n", "<br>")


def in_notebook() -> bool:
    """Tell whether an IPython session other than a terminal runs the code (IPython is never imported to know)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"


def show(thing: object) -> None:
    """Display `thing`: rich in Jupyter, printed as text elsewhere. It shows once, whatever follows in the cell."""
    if in_notebook():
        from IPython.display import display

        display(thing)
    else:
        print(thing)
