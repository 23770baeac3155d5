"""What a Keras model is made of: its multiplications, its parameters, a drawing of its blocks."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from course_utils.models import wording
from course_utils.plots.graphs import graph
from course_utils.plots.style import number

if TYPE_CHECKING:
    import keras

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Call:
    """One use of a layer by a model.

    Attributes
    ----------
    layer : keras.Layer
        The layer.
    inputs : tuple of str
        Identifiers of the calls whose outputs it takes.
    name : str
        Identifier of this call: the layer's name, with its rank when the layer serves several times.
    taken, given : tuple
        Shape of its first input and of its first output, without the axis of the batch.
    """

    layer: keras.Layer
    inputs: tuple[str, ...]
    name: str
    taken: Shape
    given: Shape


def calls(model: keras.Model) -> list[Call]:
    """Return each use of a layer by the model, in the order of the computation; nested models count for one.

    Raises
    ------
    ValueError
        If the model is neither functional nor sequential, or is not built.
    """
    functional = getattr(model, "_functional", None) or model
    if not getattr(functional, "_nodes_by_depth", None):
        raise ValueError(
            f"« {model.name} » n'est ni séquentiel ni fonctionnel, ou n'est pas construit : donnez-lui sa forme "
            "d'entrée avec keras.Input."
        )
    found: list[Call] = []
    producer: dict[int, str] = {}
    seen: Counter[str] = Counter()
    for node in _in_order(functional):
        layer = node.operation
        seen[layer.name] += 1
        name = layer.name if seen[layer.name] == 1 else f"{layer.name} ({seen[layer.name]})"
        inputs = tuple(dict.fromkeys(producer[id(tensor)] for tensor in node.input_tensors))
        producer |= {id(tensor): name for tensor in node.output_tensors}
        given = tuple(node.output_tensors[0].shape[1:])
        taken = tuple(node.input_tensors[0].shape[1:]) if node.input_tensors else given
        found.append(Call(layer, inputs, name, taken, given))
    return found


def _in_order(functional: Any) -> list[Any]:
    """Return the nodes of a functional model, each after those that feed it, branches in the order of their junction.

    Keras keeps them by depth, in an order that says nothing to the eye.
    """
    nodes = [node for level in functional._nodes_by_depth.values() for node in level]
    maker = {id(tensor): node for node in nodes for tensor in node.output_tensors}
    ordered: dict[int, Any] = {}
    waiting = [maker[id(tensor)] for tensor in reversed(functional.outputs)]
    while waiting:
        node = waiting[-1]
        missing = [maker[id(tensor)] for tensor in node.input_tensors if id(maker[id(tensor)]) not in ordered]
        if missing:
            waiting.extend(reversed(missing))
        else:
            ordered.setdefault(id(node), waiting.pop())
    return list(ordered.values())


def _nested(call: Call) -> keras.Model | None:
    import keras

    return call.layer if isinstance(call.layer, keras.Model) else None


def leaves(model: keras.Model) -> Iterator[Call]:
    """Yield the calls of the model and, instead of those to nested models, theirs."""
    for call in calls(model):
        inside = _nested(call)
        yield from leaves(inside) if inside is not None else [call]


def mega_flops(model: keras.Model) -> float:
    """Count the multiply-adds of a model for one image, in millions.

    Convolutions of all kinds (strided, dilated, grouped, depthwise, separable, transposed) and dense layers count, as
    in the papers; biases, normalisations, activations and poolings, some percents at most, do not. Profilers count a
    multiplication and an addition as two operations: twice this figure.

    Parameters
    ----------
    model : keras.Model
        Functional or sequential, with a definite input size; nested models are entered.

    Returns
    -------
    float
        Millions of multiply-adds.

    Raises
    ------
    ValueError
        If a size is unknown, or a layer with weight matrices is of a kind that is not counted here.
    """
    return sum(map(_multiply_adds, leaves(model))) / 1e6


def _multiply_adds(call: Call) -> int:
    """Multiply-adds of one call: values of the kernel × places where it is applied."""
    import keras

    layer = call.layer
    kind = type(layer).__name__
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape) * _places(call, call.given[:-1])
    if "Separable" in kind and hasattr(layer, "pointwise_kernel"):
        kernels = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
        return kernels * _places(call, call.given[:-1])
    if "Transpose" in kind:
        return math.prod(layer.kernel.shape) * _places(call, call.taken[:-1])
    if kind.startswith(("Conv", "DepthwiseConv")):
        return math.prod(layer.kernel.shape) * _places(call, call.given[:-1])
    if kind != "Embedding" and any(len(weight.shape) >= 2 for weight in getattr(layer, "trainable_weights", ())):
        raise ValueError(f"mega_flops ne sait pas compter la couche « {layer.name} » ({kind}).")
    return 0


def _places(call: Call, shape: Shape) -> int:
    if None in shape:
        raise ValueError(
            f"La taille des images de la couche « {call.name} » n'est pas fixée ({shape}) : construisez le réseau avec "
            "une taille d'entrée précise, par exemple keras.Input((224, 224, 3))."
        )
    return math.prod(size for size in shape if size is not None)


def depth(model: keras.Model) -> int:
    """Return the greatest number of convolutions and dense layers on a path from an input to an output.

    The depth in the sense of the papers, except that a projection shortcut, which is beside, never counts.
    """
    longest: dict[str, int] = {}
    for call in calls(model):
        inside = _nested(call)
        own = depth(inside) if inside is not None else int(wording.is_weighty(call.layer))
        longest[call.name] = own + max((longest[name] for name in call.inputs), default=0)
    return max(longest.values())


@dataclass(frozen=True)
class Anatomy:
    """The figures of a network.

    Attributes
    ----------
    parameters : int
        All of them, the moving statistics of batch normalisation included, as Keras counts.
    mega_flops : float
        Millions of multiply-adds for one image.
    convolutions : int
        Convolutional layers, of all kinds.
    depth : int
        Convolutions and dense layers on the longest path.
    output : tuple
        Shape of the output, without the axis of the batch.
    """

    parameters: int
    mega_flops: float
    convolutions: int
    depth: int
    output: Shape


def measure(model: keras.Model) -> Anatomy:
    """Return the figures of a model."""
    return Anatomy(
        model.count_params(),
        mega_flops(model),
        sum("Conv" in type(call.layer).__name__ for call in leaves(model)),
        depth(model),
        tuple(model.outputs[0].shape[1:]),
    )


class Table:
    """Networks compared: printed as aligned text, shown as an HTML table by Jupyter. ``rows``: name → `Anatomy`."""

    HEADS = ("réseau", "paramètres", "MFLOP", "convolutions", "profondeur", "sortie")

    def __init__(self, rows: Mapping[str, Anatomy]) -> None:
        self.rows = dict(rows)

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                name,
                number(row.parameters),
                number(row.mega_flops, 0 if row.mega_flops >= 100 else 1 if row.mega_flops >= 10 else 2),
                number(row.convolutions),
                number(row.depth),
                wording.size(row.output),
            )
            for name, row in self.rows.items()
        ]

    def __repr__(self) -> str:
        lines = [self.HEADS, *self._cells()]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.HEADS))]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if rank else cell.ljust(width) for rank, (cell, width) in enumerate(pairs)
            ).rstrip()
            for pairs in (list(zip(line, widths, strict=True)) for line in lines)
        )

    def _repr_html_(self) -> str:
        def line(cells: tuple[str, ...], tag: str) -> str:
            left = f'<{tag} style="text-align:left">{html.escape(cells[0])}</{tag}>'
            return f"<tr>{left}{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells[1:])}</tr>"

        note = "MFLOP : millions de multiplications-additions pour une image."
        body = "".join(line(cells, "td") for cells in self._cells())
        return f"<table><thead>{line(self.HEADS, 'th')}</thead><tbody>{body}</tbody></table><small>{note}</small>"


def table(models: keras.Model | Mapping[str, keras.Model]) -> Table:
    """Compare networks: parameters, multiply-adds, convolutions, depth, output.

    Parameters
    ----------
    models : keras.Model or mapping of str to keras.Model
        One network, or several under the names that the table shows.

    Returns
    -------
    Table
        Shown by Jupyter when it ends a cell; ``print`` writes it as text; ``rows`` holds the figures.

    Raises
    ------
    ValueError
        As :func:`mega_flops`.
    """
    named = models if isinstance(models, Mapping) else {models.name: models}
    return Table({name: measure(model) for name, model in named.items()})


def diagram(
    model: keras.Model,
    *,
    start: str | None = None,
    end: str | None = None,
    compact: bool = True,
    title: str | None = None,
    direction: Any = None,
    alt: str | None = None,
) -> Figure:
    """Draw a network, or a block of it, as boxes and arrows.

    Parameters
    ----------
    model : keras.Model
        Functional or sequential; a nested model is one box.
    start, end : str, optional
        Names of layers (``model.summary()`` gives them): only what lies on a path from the one to the other is drawn,
        both included. By default, the whole network.
    compact : bool
        Draw in one box a convolution or a dense layer and the normalisation, activation and dropout that follow it or,
        where the network puts them first, precede it.
    title, direction, alt
        As :func:`course_utils.plots.graph`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no such layer, or no path between them.
    """
    shown = _between(calls(model), start, end)
    groups = _groups(shown, compact)
    home = {call.name: group[0].name for group in groups for call in group}
    nodes = {group[0].name: wording.text([call.layer for call in group], group[-1].given) for group in groups}
    kinds = {group[0].name: wording.kind([call.layer for call in group]) for group in groups}
    edges = [(home[source], group[0].name) for group in groups for source in group[0].inputs if source in home]
    return graph(nodes, edges, kinds=kinds, title=title, direction=direction, alt=alt)


def _between(every: list[Call], start: str | None, end: str | None) -> list[Call]:
    names = [call.name for call in every]
    for name in (start, end):
        if name is not None and name not in names:
            shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
            raise ValueError(f"Ce réseau n'a pas de couche « {name} ». Ses couches : {shown}.")
    after: set[str] = set()
    for call in every:
        if start is None or call.name == start or after & set(call.inputs):
            after.add(call.name)
    before: set[str] = set()
    for call in reversed(every):
        if end is None or call.name == end or call.name in before:
            before |= {call.name, *call.inputs}
    if not after & before:
        raise ValueError(f"Aucun chemin ne mène de « {start} » à « {end} ».")
    return [call for call in every if call.name in after & before]


def _groups(shown: list[Call], compact: bool) -> list[list[Call]]:
    """Gather the calls that one box shows: along a path without fork, at most one layer that is not an accessory."""
    uses: dict[str, int] = {}
    for call in shown:
        for name in call.inputs:
            uses[name] = uses.get(name, 0) + 1
    groups: list[list[Call]] = []
    last: dict[str, list[Call]] = {}
    for call in shown:
        group = last.get(call.inputs[0]) if compact and len(call.inputs) == 1 and uses[call.inputs[0]] == 1 else None
        if group is None or not _joins(group, call):
            group = []
            groups.append(group)
        group.append(call)
        last[call.name] = group
    return groups


def _joins(group: list[Call], call: Call) -> bool:
    """Whether a call goes into the box that leads to it."""
    if wording.is_bare(group[0].layer):
        return False
    mains = [member for member in group if not wording.is_accessory(member.layer)]
    if wording.is_accessory(call.layer):
        # After « BN · ReLU · Conv », a new normalisation begins the next box.
        preceded = bool(mains) and mains[0] is not group[0] and not wording.is_padding(group[0].layer)
        return not (preceded and wording.is_normalisation(call.layer))
    return not mains and wording.is_weighty(call.layer)
