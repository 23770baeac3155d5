"""Drawings of directed graphs: the blocks of a network, a graph of computation.

The layout is the layered one of Sugiyama, Tagawa and Toda (1981): each node one layer after the last of those that lead
to it, long edges cut by invisible nodes, order within a layer by barycentres, then abscissas as near as can be to those
of the neighbours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from course_utils.plots.display import annotate
from course_utils.plots.style import BLUE, CHARCOAL, GREEN, GREY, ORANGE, PINK, VERMILLION, figure_of, new_figure

Edge = tuple[str, str]
Point = tuple[float, float]

KINDS = {
    "data": ("#F2F2F2", GREY),
    "conv": ("#DCEBF5", BLUE),
    "pool": ("#DDF1EA", GREEN),
    "dense": ("#FBEFD5", ORANGE),
    "merge": ("#F9E3D6", VERMILLION),
    "block": ("#F5E6EF", PINK),
    "other": ("white", CHARCOAL),
}
"""Background and outline of each kind of node."""

_SIZE, _SMALL = 12.0, 11.0  # points: first line of a node, the others
_LEADING = 15.5  # points from one line to the next
_PADDING = (10.0, 6.0)  # points around the text
_GAP, _SIDE = 25.0, 18.0  # points between layers, between neighbours of a layer
_TRACK = 6.0  # points that a long edge takes where it passes between nodes
_ROUND = 25.0  # diameter in points of a node of one sign, « + »
_WIDEST = 760.0  # points: a longer chain takes several rows


def graph(
    nodes: Mapping[str, str],
    edges: Sequence[Edge],
    *,
    kinds: Mapping[str, str] | None = None,
    labels: Mapping[Edge, str] | None = None,
    direction: Literal["down", "right"] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw a directed acyclic graph: boxes, and arrows between them.

    Parameters
    ----------
    nodes : mapping of str to str
        Text of each node by its identifier; the first line is written larger. A text of one sign (« + ») gives a
        circle.
    edges : sequence of pairs of str
        From one identifier to another. Nodes of a layer stand in the order in which the edges name them, unless
        crossings are avoided by another.
    kinds : mapping of str to str, optional
        Colour of a node: ``"data"``, ``"conv"``, ``"pool"``, ``"dense"``, ``"merge"``, ``"block"`` or ``"other"`` (the
        default).
    labels : mapping of pairs to str, optional
        Text beside an edge.
    direction : {"down", "right"}, optional
        By default down; a chain, like a text, goes from left to right, in as many rows as it takes.
    title, alt
        Title, alternative text.

    Returns
    -------
    matplotlib.figure.Figure
        At such a size that the text is 11 or 12 points high.

    Raises
    ------
    ValueError
        If an edge names a node that is not there, a kind is unknown, or the edges go round in a circle.
    """
    kinds, labels = dict(kinds or {}), dict(labels or {})
    _check(nodes, edges, kinds)
    boxes = {name: _box_size(text) for name, text in nodes.items()}
    edges = list(dict.fromkeys(edges))
    if direction is None and not labels and _is_chain(boxes, edges):
        plan = _rows(boxes, edges)
    else:
        plan = _plan(boxes, edges, turned=direction == "right", labels=labels)
    ax = _page(plan, title)
    for edge, route in plan.routes.items():
        _draw_edge(ax, route, edge in plan.turned, labels.get(edge))
    for name, text in nodes.items():
        _draw_node(ax, plan.places[name], boxes[name], text, kinds.get(name, "other"))
    return annotate(figure_of(ax), alt, _describe(nodes, edges, title))


def _check(nodes: Mapping[str, str], edges: Sequence[Edge], kinds: Mapping[str, str]) -> None:
    if not nodes:
        raise ValueError("graph n’a reçu aucun nœud : donnez nodes={identifiant: texte}.")
    if unknown := [name for edge in edges for name in edge if name not in nodes]:
        raise ValueError(f"Une flèche nomme « {unknown[0]} », qui n’est pas dans nodes : {', '.join(nodes)}.")
    if wrong := [kind for kind in kinds.values() if kind not in KINDS]:
        raise ValueError(f"kinds contient « {wrong[0]} » ; on attend l’un de : {', '.join(KINDS)}.")


@cache
def _text_width(text: str, size: float = _SMALL) -> float:
    """Width in points of a line of text in the course's font."""
    return float(TextPath((0, 0), text, size=size, prop=FontProperties()).get_extents().width) if text.strip() else 0.0


def _box_size(text: str) -> tuple[float, float]:
    lines = text.split("\n")
    if len(text) == 1:
        return _ROUND, _ROUND
    width = max(_text_width(line, _SMALL if rank else _SIZE) for rank, line in enumerate(lines))
    return width + 2 * _PADDING[0], _LEADING * len(lines) + 2 * _PADDING[1]


def _is_chain(boxes: Mapping[str, Point], edges: Sequence[Edge]) -> bool:
    starts, ends = {u for u, _ in edges}, {v for _, v in edges}
    return len(starts) == len(ends) == len(edges) == len(boxes) - 1


@dataclass
class _Plan:
    """Where things are, in points, ordinates downwards."""

    places: dict[str, Point]
    """Centre of each node."""
    routes: dict[Edge, list[tuple[Point, Point]]] = field(default_factory=dict)
    """For each edge, the straight stretches that it passes through: its start, one per layer crossed, its end."""
    turned: set[Edge] = field(default_factory=set)
    """Edges that go to the right, not down."""
    low: Point = (0.0, 0.0)
    high: Point = (0.0, 0.0)


def _rows(boxes: Mapping[str, Point], edges: list[Edge]) -> _Plan:
    """Lay a chain out like a text: from left to right, in as many rows as the page asks for, of about one length."""
    rank = _ranks(list(boxes), edges)
    chain = sorted(boxes, key=rank.__getitem__)
    whole = sum(width + _GAP for width, _ in boxes.values()) - _GAP
    row_width = whole / np.ceil(whole / _WIDEST)
    plan = _Plan({})
    rows: list[list[tuple[str, float]]] = []
    row: list[tuple[str, float]] = []
    at = 0.0
    for name in chain:
        if row and at + boxes[name][0] / 2 > row_width:
            rows.append(row)
            row, at = [], 0.0
        row.append((name, at + boxes[name][0] / 2))
        at += boxes[name][0] + _GAP
    rows.append(row)
    top = 0.0
    for row in rows:
        height = max(boxes[name][1] for name, _ in row)
        plan.places |= {name: (x, top + height / 2) for name, x in row}
        plan.high = (max(plan.high[0], row[-1][1] + boxes[row[-1][0]][0] / 2), top + height)
        top += height + _GAP
    for u, v in edges:
        (x0, y0), (x1, y1) = plan.places[u], plan.places[v]
        if y0 == y1:
            plan.turned.add((u, v))
            start, end = (x0 + boxes[u][0] / 2, y0), (x1 - boxes[v][0] / 2, y1)
        else:
            start, end = (x0, y0 + boxes[u][1] / 2), (x1, y1 - boxes[v][1] / 2)
        plan.routes[u, v] = [(start, start), (end, end)]
    return plan


def _plan(boxes: Mapping[str, Point], edges: list[Edge], *, turned: bool, labels: Mapping[Edge, str]) -> _Plan:
    """Lay a graph out in layers; the layout goes down, then is turned to the right if need be."""
    sizes = {name: (height, width) if turned else (width, height) for name, (width, height) in boxes.items()}
    gap = _GAP + max((_text_width(text) if turned else 6.0 for text in labels.values()), default=0.0)
    rank = _ranks(list(sizes), edges)
    widths: dict[Hashable, float] = {name: across for name, (across, _) in sizes.items()}
    chains: dict[Edge, list[Hashable]] = {}
    layers: list[list[Hashable]] = [[] for _ in range(max(rank.values()) + 1)]
    for name in sizes:
        layers[rank[name]].append(name)
    for u, v in edges:
        bends: list[Hashable] = [(u, v, level) for level in range(rank[u] + 1, rank[v])]
        for level, bend in enumerate(bends, rank[u] + 1):
            layers[level].append(bend)
            widths[bend] = _TRACK
        chains[u, v] = [u, *bends, v]
    links = [link for chain in chains.values() for link in zip(chain[:-1], chain[1:], strict=True)]
    layers = _order(layers, links)
    across = _spread(layers, links, widths)
    spans, at = [], 0.0
    for layer in layers:
        thickness = max(sizes[n][1] for n in layer if isinstance(n, str))
        spans.append((at, at + thickness))
        at += thickness + gap
    middle = {name: sum(spans[rank[name]]) / 2 for name in sizes}
    plan = _Plan({name: (across[name], middle[name]) for name in sizes})
    for (u, v), chain in chains.items():
        start = (across[u], middle[u] + sizes[u][1] / 2)
        end = (across[v] + _port(v, chain[-2], links, across, sizes[v][0]), middle[v] - sizes[v][1] / 2)
        passed = [tuple((across[n], edge) for edge in spans[level]) for level, n in enumerate(chain[1:-1], rank[u] + 1)]
        plan.routes[u, v] = [(start, start), *passed, (end, end)]  # type: ignore[list-item]
    plan.low = (min(across[n] - w / 2 for n, w in widths.items()), 0.0)
    plan.high = (max(across[n] + w / 2 for n, w in widths.items()), spans[-1][1])
    return _turn(plan) if turned else plan


def _turn(plan: _Plan) -> _Plan:
    """Exchange abscissas and ordinates."""
    return _Plan(
        {name: place[::-1] for name, place in plan.places.items()},
        {edge: [(start[::-1], end[::-1]) for start, end in route] for edge, route in plan.routes.items()},
        set(plan.routes),
        plan.low[::-1],
        plan.high[::-1],
    )


def _ranks(names: list[str], edges: list[Edge]) -> dict[str, int]:
    """Layer of each node: the length of the longest path that leads to it; sources stand just before what they feed."""
    before, after = defaultdict(list), defaultdict(list)
    for u, v in edges:
        before[v].append(u)
        after[u].append(v)
    rank: dict[str, int] = {}
    waiting = list(names)
    while waiting:
        ready = [name for name in waiting if all(u in rank for u in before[name])]
        if not ready:
            raise ValueError(f"Les flèches tournent en rond : {', '.join(waiting)} attendent l’un l’autre.")
        for name in ready:
            rank[name] = 1 + max((rank[u] for u in before[name]), default=-1)
        waiting = [name for name in waiting if name not in rank]
    for name in names:
        if not before[name] and after[name]:
            rank[name] = min(rank[v] for v in after[name]) - 1
    return rank


def _order(layers: list[list[Hashable]], links: list[tuple[Hashable, Hashable]]) -> list[list[Hashable]]:
    """Reorder each layer by the barycentres of its neighbours, sweeping down and up; keep the fewest crossings."""
    up, down = defaultdict(list), defaultdict(list)
    for u, v in links:
        down[u].append(v)
        up[v].append(u)
    best, fewest = layers, _crossings(layers, down)
    for sweep in range(8):
        if fewest == 0:
            break
        neighbours = up if sweep % 2 == 0 else down
        layers = [list(layer) for layer in layers]
        for level in range(len(layers)) if sweep % 2 == 0 else reversed(range(len(layers))):
            index = {n: i for layer in layers for i, n in enumerate(layer)}
            centres = {
                n: float(np.mean([index[m] for m in neighbours[n]])) if neighbours[n] else float(index[n])
                for n in layers[level]
            }
            layers[level].sort(key=centres.__getitem__)
        if (count := _crossings(layers, down)) < fewest:
            best, fewest = layers, count
    return best


def _crossings(layers: list[list[Hashable]], down: Mapping[Hashable, list[Hashable]]) -> int:
    index = {n: i for layer in layers for i, n in enumerate(layer)}
    count = 0
    for layer in layers:
        pairs = np.array([(index[u], index[v]) for u in layer for v in down[u]]).reshape(-1, 2)
        difference = pairs[:, None, :] - pairs[None, :, :]
        count += int((difference[..., 0] * difference[..., 1] < 0).sum()) // 2
    return count


def _spread(
    layers: list[list[Hashable]], links: list[tuple[Hashable, Hashable]], widths: Mapping[Hashable, float]
) -> dict[Hashable, float]:
    """Choose abscissas: each node near the mean of its neighbours, in the order of its layer, without overlap.

    Edges are springs, relaxed layer by layer. Those of a chain are stiffer than those of a fork, so that a branch stays
    in line; those of a shortcut are slack, so that it goes round.
    """
    leaving, entering = Counter(u for u, _ in links), Counter(v for _, v in links)
    forks = Counter(u for u, v in links if isinstance(v, str))  # without the long edges
    near: dict[Hashable, list[tuple[Hashable, float]]] = defaultdict(list)
    for u, v in links:
        if isinstance(u, str) and isinstance(v, str):
            strength = 1 / (forks[u] * entering[v])
        else:
            origin = u if isinstance(u, str) else u[0]  # type: ignore[index]
            shortcut = leaving[origin] > 1
            slack = 0.2 if not isinstance(u, str) and not isinstance(v, str) else 0.005
            strength = slack if shortcut else 1 / entering[v]
        near[u].append((v, strength))
        near[v].append((u, strength))
    stiffness = {n: sum(strength for _, strength in near[n]) or 1.0 for layer in layers for n in layer}
    across: dict[Hashable, float] = {}
    for layer in layers:
        across |= dict(zip(layer, _place([0.0] * len(layer), layer, widths, stiffness), strict=True))
    for sweep in range(20 + 8 * len(layers)):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            wanted = [sum(k * across[m] for m, k in near[n]) / stiffness[n] if near[n] else across[n] for n in layer]
            across |= dict(zip(layer, _place(wanted, layer, widths, stiffness), strict=True))
    _straighten(across, layers, links, widths)
    return across


def _straighten(
    across: dict[Hashable, float],
    layers: list[list[Hashable]],
    links: list[tuple[Hashable, Hashable]],
    widths: Mapping[Hashable, float],
) -> None:
    """Give one abscissa to all the stretches of a long edge, where their neighbours leave room for one."""
    bends: dict[Edge, list[tuple[Hashable, list[Hashable]]]] = defaultdict(list)
    for layer in layers:
        for n in layer:
            if not isinstance(n, str):
                bends[n[:2]].append((n, layer))  # type: ignore[index]
    for _ in range(3):
        for chain in bends.values():
            lowest, highest = -np.inf, np.inf
            for n, layer in chain:
                i = layer.index(n)
                if i:
                    m = layer[i - 1]
                    lowest = max(lowest, across[m] + (widths[m] + widths[n]) / 2 + _SIDE)
                if i + 1 < len(layer):
                    m = layer[i + 1]
                    highest = min(highest, across[m] - (widths[m] + widths[n]) / 2 - _SIDE)
            if lowest <= highest:
                middle = float(np.mean([across[n] for n, _ in chain]))
                across |= {n: float(np.clip(middle, lowest, highest)) for n, _ in chain}


def _place(
    wanted: list[float], layer: list[Hashable], widths: Mapping[Hashable, float], stiffness: Mapping[Hashable, float]
) -> list[float]:
    """Return the abscissas nearest to `wanted` (least squares) that keep the order and the gaps: pooled violators."""
    steps = [0.0]
    for left, right in zip(layer[:-1], layer[1:], strict=True):
        steps.append(steps[-1] + (widths[left] + widths[right]) / 2 + _SIDE)
    pools: list[list[float]] = []  # [weighted mean, weight, number of nodes]
    for n, goal, step in zip(layer, wanted, steps, strict=True):
        pools.append([goal - step, stiffness[n], 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, weight, count = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * weight) / (last[1] + weight)
            last[1] += weight
            last[2] += count
    means = [mean for mean, _, count in pools for _ in range(int(count))]
    return [mean + step for mean, step in zip(means, steps, strict=True)]


def _port(
    name: str,
    coming: Hashable,
    links: list[tuple[Hashable, Hashable]],
    across: Mapping[Hashable, float],
    width: float,
) -> float:
    """Return where an edge enters a node, from its middle: several of them stand side by side."""
    entering = sorted({u for u, v in links if v == name}, key=lambda u: across[u])
    step = min(22.0, 0.7 * width / len(entering))
    return step * (entering.index(coming) - (len(entering) - 1) / 2)


def _page(plan: _Plan, title: str | None) -> Axes:
    """Return the axes of a new figure, in points, ordinates downwards."""
    margin, head = 8.0, 30.0 if title else 0.0
    low, high = plan.low, plan.high
    width, height = high[0] - low[0] + 2 * margin, high[1] - low[1] + 2 * margin + head
    if title and (missing := _text_width(title, 14.0) + 2 * margin - width) > 0:
        low, high, width = (low[0] - missing / 2, low[1]), (high[0] + missing / 2, high[1]), width + missing
    fig = new_figure(width / 72, height / 72)
    fig.set_layout_engine("none")  # everything has its place already
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(low[0] - margin, high[0] + margin), ylim=(high[1] + margin, low[1] - margin - head))
    ax.axis("off")
    if title:
        middle = (low[0] + high[0]) / 2
        ax.text(middle, low[1] - margin - head / 2, title, ha="center", va="center", fontsize=14, fontweight="bold")
    return ax


def _draw_node(ax: Axes, centre: Point, size: tuple[float, float], text: str, kind: str) -> None:
    fill, outline = KINDS[kind]
    (x, y), (width, height) = centre, size
    style = {"facecolor": fill, "edgecolor": outline, "linewidth": 1.4, "zorder": 3}
    if len(text) == 1:
        ax.add_patch(Ellipse(centre, width, height, **style))  # type: ignore[arg-type]
        ax.text(x, y, text, ha="center", va="center_baseline", fontsize=15, fontweight="bold", zorder=4)
        return
    corner = (x - width / 2, y - height / 2)
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0,rounding_size=6", **style))  # type: ignore[arg-type]
    lines = text.split("\n")
    for rank, line in enumerate(lines):
        ax.text(
            x,
            y + _LEADING * (rank - (len(lines) - 1) / 2),
            line,
            ha="center",
            va="center",
            fontsize=_SMALL if rank else _SIZE,
            color="#4A4A4A" if rank else "#1A1A1A",
            zorder=4,
        )


def _draw_edge(ax: Axes, route: list[tuple[Point, Point]], turned: bool, label: str | None) -> None:
    """Draw an edge: straight where it passes a layer, a curve from one layer to the next, an arrow head at the end."""
    points, codes = [route[0][1]], [Path.MOVETO]
    for (_, here), (there, beyond) in zip(route[:-1], route[1:], strict=True):
        half = ((here[0] + there[0]) / 2, (here[1] + there[1]) / 2)
        points += [(half[0], here[1]), (half[0], there[1])] if turned else [(here[0], half[1]), (there[0], half[1])]
        points.append(there)
        codes += [Path.CURVE4] * 3
        if beyond != there:
            points.append(beyond)
            codes.append(Path.LINETO)
    arrow = FancyArrowPatch(
        path=Path(points, codes), arrowstyle="-|>,head_length=6,head_width=3", mutation_scale=1, linewidth=1.4
    )
    arrow.set(color=CHARCOAL, zorder=2, capstyle="butt")
    ax.add_patch(arrow)
    if label:
        (x0, y0), (x1, y1) = points[0], points[3]
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        if turned:
            ax.text(x, y - 3, label, fontsize=_SMALL, ha="center", va="bottom")
        else:
            ax.text(x + 5, y, label, fontsize=_SMALL, ha="left", va="center")


def _describe(nodes: Mapping[str, str], edges: Sequence[Edge], title: str | None) -> str:
    """Compose the alternative text: the nodes, then where each leads."""
    said = {name: text.split("\n")[0] for name, text in nodes.items()}
    onward: dict[str, list[str]] = defaultdict(list)
    for u, v in edges:
        onward[u].append(said[v])
    steps = "; ".join(f"{said[name]} → {', '.join(targets)}" for name, targets in onward.items())
    if len(steps) > 600:
        steps = steps[:600].rsplit(";", 1)[0] + "; …"
    head = f"{title}. " if title else ""
    return f"{head}Graphe de {len(nodes)} nœud{'s' if len(nodes) > 1 else ''}{' : ' + steps if steps else ''}."
