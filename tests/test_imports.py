"""Imports point one way: no module, and no room of the house, reaches itself through what it imports."""

import ast
from pathlib import Path

import deltarule

SOURCE = Path(deltarule.__file__).parent
MOST_LINES = 350
MOST_ENTRIES = 25


def modules():
    """The path of every module, by its name."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = ("deltarule", *path.relative_to(SOURCE).with_suffix("").parts)
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imported_by(path):
    """The modules of this package that a file imports, in functions too; what only a type checker reads is left out."""
    found, waiting = set(), [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "deltarule":
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                found.add(whole if whole in MODULES else node.module)
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.split(".")[0] == "deltarule"}
        waiting += ast.iter_child_nodes(node)
    return found


def circles(graph):
    """The nodes that can be reached from themselves."""

    def reached(start):
        seen, waiting = set(), [start]
        while waiting:
            for name in graph.get(waiting.pop(), ()):
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
        return seen

    return sorted(name for name in graph if name in reached(name))


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]


def test_no_module_imports_itself_through_others():
    assert circles({name: imported_by(path) for name, path in MODULES.items()}) == []


def test_rooms_import_from_those_below_them_in_the_picture():
    """The picture of docs/architecture.md: a line for each floor, its rooms before what is said of them."""

    def room(name):
        return name.split(".")[1] if "." in name else ""

    page = (SOURCE.parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    lines = page.split("```text\n")[1].split("```")[0].splitlines()
    floor = {name: i for i, line in enumerate(lines) for name in line.partition(" " * 3)[0].split()}
    assert {room(name) for name in MODULES} - {"", "__main__"} == set(floor)
    for name, path in MODULES.items():
        for other in {room(other) for other in imported_by(path)} - {room(name), ""}:
            assert floor.get(room(name), -1) < floor[other], (name, other)


def test_the_house_is_small():
    assert len([entry for entry in SOURCE.iterdir() if entry.name != "__pycache__"]) <= MOST_ENTRIES
    lines = {name: path.read_text().count("\n") for name, path in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
