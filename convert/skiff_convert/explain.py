"""--explain: what a model computes, from columns to outputs, as text or as boxes of an SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from . import plan
from .form import Computed, Constant, Dot, Forest, Head, Lookup, Node, Sum, Through, Value, Word
from .lifted import Lifted, lift_model
from .task import Task, table

SHOWN = 12  # inputs of a node that are named
STEPS = 4  # steps of a number that are named
LABELS = 6  # of an output that are named
# Of the SVG, in pixels.
LINE, BOX, GAP, MARGIN, LETTER = 18, 10, 46, 16, 7.3


@dataclass(frozen=True)
class Box:
    """A column, a node or an output; reads: the boxes that it reads."""

    name: str
    lines: Sequence[str]
    reads: tuple[str, ...] = ()


def explain(task: Task, svg: bool) -> str:
    """The model of the task, as text or as an SVG."""
    lifted = lift_model(task, {})
    layers = layers_of(lifted)
    return drawn(layers) if svg else told(lifted, layers)


def layers_of(lifted: Lifted) -> list[list[Box]]:
    """Columns, then nodes, those that read others after them, then what comes out."""
    columns = [Box(f"X{i}", [c.name, _kind(c)]) for i, c in enumerate(lifted.columns)]
    nodes = plan.nodes(lifted.head)
    names = {id(node): f"{type(node).__name__.lower()} {i}" for i, node in enumerate(nodes, 1)}
    depth: dict[int, int] = {}
    layers: list[list[Box]] = [columns]
    for node in nodes:
        inner = [v.node for v in node.inputs() if isinstance(v, Computed)]
        depth[id(node)] = level = 1 + max((depth[id(n)] for n in inner), default=0)
        while len(layers) <= level:
            layers.append([])
        lines = [_size(node), *_inputs(node.inputs(), lifted, names)]
        layers[level].append(Box(names[id(node)], lines, _reads(node.inputs(), names)))
    head = lifted.head
    return [*layers, [Box("output", _output(lifted), _reads(head.y, names))]]


def told(lifted: Lifted, layers: Sequence[Sequence[Box]]) -> str:
    """The layers as text."""
    lines = [lifted.estimator, "", "columns"]
    lines += ["  " + line for line in table([box.name, *box.lines] for box in layers[0])]
    for layer in layers[1:]:
        for box in layer:
            lines += ["", f"{box.name}: {box.lines[0]}", *(f"  {line}" for line in box.lines[1:])]
    return "\n".join(lines) + "\n"


def drawn(layers: Sequence[Sequence[Box]]) -> str:
    """The layers as boxes from left to right, with a line for what each reads."""
    at: dict[str, tuple[float, float, float]] = {}  # left, right, middle
    parts, x, bottom = [], float(MARGIN), 0.0
    for layer in layers:
        width = max(len(line) for box in layer for line in (box.name, *box.lines)) * LETTER + 2 * BOX
        y = float(MARGIN)
        for box in layer:
            height = LINE * (1 + len(box.lines)) + BOX
            at[box.name] = (x, x + width, y + height / 2)
            parts.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4"/>')
            for i, line in enumerate((box.name, *box.lines)):
                bold = ' font-weight="bold"' if i == 0 else ""
                parts.append(f'<text x="{x + BOX:g}" y="{y + LINE * (i + 1):g}"{bold}>{escape(line)}</text>')
            y += height + BOX
        x, bottom = x + width + GAP, max(bottom, y)
    for box in (box for layer in layers for box in layer):
        for name in box.reads:
            (_, x1, y1), (x2, _, y2) = at[name], at[box.name]
            middle = (x1 + x2) / 2
            parts.insert(0, f'<path d="M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"/>')
    style = (
        "text{font:12px ui-monospace,monospace;fill:#222}"
        "rect{fill:#f6f8fa;stroke:#8899aa}path{fill:none;stroke:#8899aa}"
    )
    size = f'width="{x - GAP + MARGIN:g}" height="{bottom + MARGIN:g}"'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', f"<style>{style}</style>", *parts, "</svg>", ""]
    )


def _kind(column) -> str:
    if column.source is None or column.kind == "word":
        return "constant" if column.source is None else "word of a list"
    if column.kind != "category":
        return "word or number" if column.words else "number"
    return f"{len(column.vocabulary):,} words"


def _size(node: Node) -> str:
    width = f", {node.width:,} values" if node.width > 1 else ""
    if isinstance(node, Forest):
        questions = int((node.trees.left >= 0).sum())
        single = ", in float32" if node.single else ""
        return f"{len(node.target):,} trees, {questions:,} questions, the sum of their leaves{single}{width}"
    if isinstance(node, Dot):
        order = "in this order" if node.ordered else "in any order"
        return f"a weighted sum of {len(node.values):,}, {order}{width}"
    if isinstance(node, Sum) and node.divisor != 1:
        return f"the sum of {len(node.values):,}, by {node.divisor:g}{width}"
    return f"of {len(node.inputs()):,}{width}"


def _inputs(values: Sequence[Value], lifted: Lifted, names: dict[int, str]) -> list[str]:
    """What a node reads, a line for each column or node."""
    lines: dict[str, int] = {}
    for value in values:
        line = _value(value, lifted, names)
        lines[line] = lines.get(line, 0) + 1
    shown = [line if n == 1 else f"{line}, {n:,} of them" for line, n in list(lines.items())[:SHOWN]]
    return shown + ([f"and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else [])


def _value(value: Value, lifted: Lifted, names: dict[int, str]) -> str:
    if isinstance(value, Constant):
        return f"constant {value.value:g}"
    if isinstance(value, Computed):
        return f"{names[id(value.node)]}{_through(value.steps)}"
    name = lifted.columns[value.column].name
    if isinstance(value, Lookup):
        return f"{name}: a number for each word"
    if isinstance(value, Word):
        return f"{name}: is it a certain word"
    return f"{name}{_through(value.steps)}"


def _through(steps: Sequence) -> str:
    if not steps:
        return ""
    said = [
        step.op if isinstance(step.value, tuple) else f"{step.op} {step.value:.4g}" for step in steps[:STEPS]
    ]
    return " -> " + " -> ".join(said + (["…"] if len(steps) > STEPS else []))


def _reads(values: Sequence[Value], names: dict[int, str]) -> tuple[str, ...]:
    found = dict.fromkeys(
        names[id(v.node)] if isinstance(v, Computed) else f"X{v.column}"
        for v in values
        if isinstance(v, Computed | Lookup | Word | Through)
    )
    return tuple(found)


def _output(lifted: Lifted) -> list[str]:
    head, spec = lifted.head, lifted.spec
    if head.labels is None:
        width = f"a list of {len(head.scores)}" if len(head.scores) > 1 else "a number"
        return [f"{spec.prediction}, {width}", f"link {head.link}"]
    if head.parts:
        return [
            f"{spec.prediction}, a list of labels",
            *(line for part in head.parts for line in _label(part)),
        ]
    label, *rules = _label(head)
    return [f"{spec.prediction}, {label}", *rules]


def _label(head: Head) -> list[str]:
    some = ", ".join(map(str, head.labels[:LABELS])) + (" …" if len(head.labels) > LABELS else "")
    decides = head.by or head.scores
    what = "other values than the scores" if head.by else f"the {head.decide}"
    if len(decides) == 1 and head.decide == "scores":
        rule = f"the second where the {'deciding value' if head.by else 'score'} is above {head.cut:g}"
    else:
        rule = f"that of the largest of {what}" + (", of equal ones the last" if head.last else "")
    link = [f"probabilities by {head.link}"] if head.probabilities else []
    return [f"a label: {some}", rule, *link]
