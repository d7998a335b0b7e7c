"""What may become of one node of a syntax tree."""

import ast
from collections.abc import Callable, Iterator
from copy import copy

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
}
# Each the other way around: what is rounded, taken or asked.
PAIRS = (("times_down", "times_up"), ("round_down", "round_up"), ("min", "max"), ("any", "all"))
NAMES = {**dict(PAIRS), **{right: left for left, right in PAIRS}}


def alternatives(node: ast.AST, *, is_claim: bool) -> Iterator[ast.AST]:
    """Its replacements; `is_claim` says that it stands in a function that answers yes or no."""
    for kind, change in _CHANGES:
        if isinstance(node, kind):
            yield from change(node)
    if is_claim and isinstance(node, ast.Return) and node.value is not None:
        yield from _denied(node, node.value)


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    other = copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            yield _changed(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _sign(node: ast.UnaryOp) -> Iterator[ast.AST]:
    """Without its `not` or its minus."""
    if isinstance(node.op, ast.Not | ast.USub):
        yield copy(node.operand)


def _arithmetic(node: ast.BinOp | ast.AugAssign) -> Iterator[ast.AST]:
    if other := OPERATORS.get(type(node.op)):
        yield _changed(node, op=other())


def _name(node: ast.Name) -> Iterator[ast.AST]:
    if node.id in NAMES:
        yield _changed(node, id=NAMES[node.id])


def _attribute(node: ast.Attribute) -> Iterator[ast.AST]:
    if node.attr in NAMES:
        yield _changed(node, attr=NAMES[node.attr])


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)


def _condition(node: ast.If | ast.IfExp) -> Iterator[ast.AST]:
    """Never and always: a guard that is gone, and one that refuses everything."""
    for value in (False, True):
        yield _changed(node, test=ast.Constant(value))


def _filter(node: ast.comprehension) -> Iterator[ast.AST]:
    """Without one of its conditions."""
    for index in range(len(node.ifs)):
        yield _changed(node, ifs=[*node.ifs[:index], *node.ifs[index + 1 :]])


def _denied(node: ast.Return, value: ast.expr) -> Iterator[ast.AST]:
    """The contrary; of a comparison, a constant or a `not` that is another change already."""
    is_changed_already = isinstance(value, ast.Constant | ast.UnaryOp) or (isinstance(value, ast.Compare) and len(value.ops) == 1)
    if not is_changed_already:
        yield _changed(node, value=ast.UnaryOp(op=ast.Not(), operand=value))


_CHANGES: tuple[tuple[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., Iterator[ast.AST]]], ...] = (
    (ast.Compare, _comparison),
    (ast.BoolOp, _boolean),
    (ast.UnaryOp, _sign),
    ((ast.BinOp, ast.AugAssign), _arithmetic),
    (ast.Name, _name),
    (ast.Attribute, _attribute),
    (ast.Constant, _constant),
    ((ast.If, ast.IfExp), _condition),
    (ast.comprehension, _filter),
)
