"""What the source of the program must not do, found in its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator

FORBIDDEN_MODULES = {
    "cPickle", "cloudpickle", "dbm", "dill", "imp", "joblib", "jsonpickle", "marshal", "pickle",
    "pty", "shelve", "telnetlib", "ftplib", "yaml", "lxml", "xml", "xmlrpc", "subprocess",
}  # fmt: skip
# Exceptions: names that only catch an error or only write.
HARMLESS_NAMES = {("pickle", "UnpicklingError"), ("xml.sax.saxutils", "escape")}
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "np.load", "numpy.load",
}  # fmt: skip
# Of whatever object.
FORBIDDEN_METHODS = {
    "_create_unverified_context", "extractall", "mktemp", "register_custom_ops_library",
}  # fmt: skip
FORBIDDEN_VALUES = {("allow_pickle", True), ("shell", True), ("verify", False)}
TAKE_VERIFY = {"describe_models"}  # their own meaning: of networks, not of certificates


def faults(source: str) -> Iterator[str]:
    """Yield what a module does that it must not: how, and in which line."""
    for node in ast.walk(ast.parse(source)):
        for fault in _faults_of(node):
            yield f"line {getattr(node, 'lineno', 0)}: {fault}"


def _faults_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for one in node.names:
            if one.name.split(".")[0] in FORBIDDEN_MODULES:
                yield f"imports {one.name}"
    elif isinstance(node, ast.ImportFrom):
        for one in node.names:
            known = (node.module or "", one.name) in HARMLESS_NAMES
            if (node.module or "").split(".")[0] in FORBIDDEN_MODULES and not known:
                yield f"imports {one.name} from {node.module}"
    elif isinstance(node, ast.Call):
        yield from _faults_of_call(node)
    elif isinstance(node, ast.Assert) and not _narrows(node.test):
        # `python -O` leaves assertions out: they may tell the type checker what is known, no more.
        yield f"asserts {ast.unparse(node.test)}"


def _faults_of_call(node: ast.Call) -> Iterator[str]:
    name = _dotted(node.func)
    given = {one.arg: getattr(one.value, "value", None) for one in node.keywords}
    method = name.rsplit(".", maxsplit=1)[-1]
    if name.removeprefix("builtins.") in FORBIDDEN_CALLS or method in FORBIDDEN_METHODS:
        yield f"calls {name}"
    if name == "torch.load" and given.get("weights_only") is not True:
        yield "calls torch.load without weights_only"
    for keyword, value in FORBIDDEN_VALUES:
        if given.get(keyword) is value and not (keyword == "verify" and method in TAKE_VERIFY):
            yield f"calls {name} with {keyword}={value}"


def _dotted(node: ast.expr) -> str:
    """Return what is called: ``torch.load``; of what is no name, only what follows it."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def _narrows(test: ast.expr) -> bool:
    """Whether an assertion only says that a value is there, or of which type it is."""
    if isinstance(test, ast.Call):
        return ast.unparse(test.func) == "isinstance"
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], ast.IsNot) and ast.unparse(test.comparators[0]) == "None"
    return False


def logged_values(source: str) -> Iterator[str]:
    """Yield what a module puts into the log besides fixed words."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if _dotted(node.func.value) not in ("_LOG", "logging", "_LOGGER"):
            continue
        if node.func.attr not in (
            "debug",
            "info",
            "warning",
            "error",
            "exception",
            "critical",
            "log",
        ):
            continue
        words, *values = node.args
        if not isinstance(words, ast.Constant):
            yield ast.unparse(words)
        yield from map(ast.unparse, values)
