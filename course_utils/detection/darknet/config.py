"""The text of a Darknet ``.cfg``: sections in order, each with its options.

A section opens with its kind between brackets; then come lines ``key = value``. Spaces do not count, nor do lines that
begin with ``#`` or ``;``. The first section is ``[net]``; each of the others is a layer, numbered from 0.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TITLES = ("net", "network")
"""What the first section may be called."""

LARGEST_FILE = 10_000_000
"""Bytes above which a file is no configuration: the longest official one has 20 kB."""


class ConfigError(ValueError):
    """A ``.cfg`` that cannot be read or makes no sense: the message, in French, says where and what to do."""


@dataclass(frozen=True)
class Section:
    """One section: a layer, or ``[net]``.

    Attributes
    ----------
    kind : str
        "convolutional", "route", "yolo"…
    options : mapping of str to str
        As they are written.
    line : int
        Line of its title in the file, from 1; 0 if it comes from no file.
    """

    kind: str
    options: Mapping[str, str]
    line: int = 0

    def integer(self, key: str, default: int = 0, *, least: int | None = None) -> int:
        """Return an option as a whole number, `default` if it is absent, refused below `least`."""
        (value,) = self.integers(key, (default,), count=1)
        if least is not None and value < least:
            raise self.fault(f"« {key} » vaut {value} ; il faut au moins {least}")
        return value

    def integers(self, key: str, default: tuple[int, ...] = (), *, count: int | None = None) -> tuple[int, ...]:
        """Return an option as whole numbers separated by commas, `count` of them if it is given."""
        numbers = self.numbers(key, tuple(map(float, default)), count=count)
        if any(number != int(number) for number in numbers):
            raise self.fault(f"« {key} = {self.options[key]} » : il faut des nombres entiers")
        return tuple(map(int, numbers))

    def number(self, key: str, default: float = 0.0) -> float:
        """Return an option as a number, `default` if it is absent."""
        return self.numbers(key, (default,), count=1)[0]

    def numbers(self, key: str, default: tuple[float, ...] = (), *, count: int | None = None) -> tuple[float, ...]:
        """Return an option as numbers separated by commas, `count` of them if it is given."""
        text = self.options.get(key)
        if text is None:
            return default
        try:
            values = tuple(float(part) for part in text.split(",") if part)
        except ValueError:
            raise self.fault(f"« {key} = {text} » : ce ne sont pas des nombres") from None
        if not values or not all(math.isfinite(value) for value in values):
            raise self.fault(f"« {key} = {text} » : il manque un nombre")
        if count is not None and len(values) != count:
            raise self.fault(f"« {key} = {text} » : il faut {count} nombre{'s' * (count > 1)}, pas {len(values)}")
        return values

    def word(self, key: str, default: str) -> str:
        """Return an option as a word, `default` if it is absent."""
        return self.options.get(key, default)

    def fault(self, what: str) -> ConfigError:
        """Return the error that says `what` is wrong with this section, and at which line it stands."""
        where = f", ligne {self.line}" if self.line else ""
        return ConfigError(f"Section [{self.kind}]{where} : {what}.")

    def with_options(self, **options: object) -> Section:
        """Return the same section with other values for some options."""
        return dataclasses.replace(self, options={**self.options, **{key: str(v) for key, v in options.items()}})


@dataclass(frozen=True)
class Config:
    """A Darknet network as text.

    Attributes
    ----------
    net : Section
        Input size, and how it was trained.
    sections : tuple of Section
        The layers, in order.
    """

    net: Section
    sections: tuple[Section, ...]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the images."""
        return tuple(self.net.integer(key, least=1) for key in ("height", "width", "channels"))  # type: ignore[return-value]

    @property
    def classes(self) -> int:
        """Number of classes, which all the ``[yolo]`` sections must share."""
        counts = {section.integer("classes", 20, least=1) for section in self.sections if section.kind == "yolo"}
        if len(counts) != 1:
            found = f"des nombres de classes différents ({sorted(counts)})" if counts else "aucune section [yolo]"
            raise ConfigError(
                f"Ce .cfg a {found} : il faut au moins une tête [yolo], et le même « classes » dans toutes. "
                "Un réseau de classification n'a pas de tête [yolo] : il n'est pas lu ici."
            )
        return counts.pop()

    def with_input(self, height: int, width: int, channels: int = 3) -> Config:
        """Return the same network for images of another size."""
        return dataclasses.replace(self, net=self.net.with_options(height=height, width=width, channels=channels))

    def with_classes(self, classes: int) -> Config:
        """Return the same network for another number of classes: its heads, and the convolution before each."""
        sections = list(self.sections)
        for rank, section in enumerate(self.sections):
            if section.kind == "yolo":
                sections[rank] = section.with_options(classes=classes)
                if rank and sections[rank - 1].kind == "convolutional":
                    filters = len(section.integers("mask")) * (5 + classes)
                    sections[rank - 1] = sections[rank - 1].with_options(filters=filters)
        return dataclasses.replace(self, sections=tuple(sections))

    def text(self) -> str:
        """Write the network back as the text of a ``.cfg``, without its comments."""
        blocks = []
        for section in (self.net, *self.sections):
            lines = [f"[{section.kind}]", *(f"{key}={value}" for key, value in section.options.items())]
            blocks.append("\n".join(lines) + "\n")
        return "\n".join(blocks)


def parse_cfg(source: str | Path) -> Config:
    """Read a Darknet configuration.

    Parameters
    ----------
    source : str or path
        The file, or the text itself (a string that holds a line break).

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        (a ``ValueError``) if it is no Darknet configuration; the message gives the line.
    FileNotFoundError
        If there is no such file.
    """
    text = source if isinstance(source, str) and "\n" in source else _read(Path(source))
    _refuse_foreign(text)
    sections = _sections(text)
    if not sections or sections[0].kind not in TITLES:
        first = f"il commence par [{sections[0].kind}]" if sections else "il n'a aucune section"
        raise ConfigError(f"Un .cfg de Darknet commence par la section [net] ; {first}.")
    if len(sections) == 1:
        raise ConfigError("Ce .cfg s'arrête après [net] : aucune couche. Le fichier est tronqué, récupérez-le.")
    return Config(sections[0], tuple(sections[1:]))


def _read(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(f"Pas de fichier {path} : donnez le chemin d'un .cfg, ou son texte.")
    if path.stat().st_size > LARGEST_FILE:
        raise ConfigError(
            f"{path.name} fait {path.stat().st_size} octets : ce n'est pas un .cfg, qui est un petit texte. "
            "Le .cfg et le .weights ont-ils été échangés ?"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path.name} n'est pas un texte, donc pas un .cfg. Le .cfg et le .weights ont-ils été échangés ?"
        ) from None


def _refuse_foreign(text: str) -> None:
    """Recognise what is most often saved in place of a ``.cfg``."""
    head = text.lstrip()[:200].lower()
    if head.startswith(("<!doctype", "<html", "<?xml")):
        raise ConfigError(
            "C'est une page web, pas un .cfg. Sur GitHub, téléchargez le fichier brut (bouton « Raw »), pas sa page."
        )
    if head.startswith("version https://git-lfs"):
        raise ConfigError("C'est un pointeur Git LFS, pas un .cfg : « git lfs pull » donnera le fichier lui-même.")
    if not head or "\0" in text:
        raise ConfigError(
            "Ce .cfg est vide ou binaire : récupérez-le, ce devrait être un texte de quelques kilo-octets."
        )


def _sections(text: str) -> list[Section]:
    titles: list[tuple[str, dict[str, str], int]] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = "".join(raw.split())
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            if line[-1] != "]" or len(line) < 3:
                raise ConfigError(
                    f"Ligne {number} du .cfg : le titre « {raw.strip()} » n'est pas fermé par un crochet."
                )
            titles.append((line[1:-1].lower(), {}, number))
            continue
        key, equals, value = line.partition("=")
        if not equals or not key or not titles:
            raise ConfigError(
                f"Ligne {number} du .cfg : « {raw.strip()[:60]} » n'est ni un titre [section], ni « clé = valeur ». "
                "Le fichier est peut-être abîmé, ou ce n'en est pas un."
            )
        titles[-1][1].setdefault(key, value)  # of two values, Darknet keeps the first
    return [Section(kind, options, line) for kind, options, line in titles]
