"""What the package's modules import, read from their source: nothing is run, and nothing can hide.

Imports inside functions and under ``TYPE_CHECKING`` count like any other: each is a module that its reader has to know.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import deepseek_async

PACKAGE = "deepseek_async"
ROOT = Path(deepseek_async.__file__).parent


def _name_of(path: Path) -> str:
    parts = [PACKAGE, *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def sources() -> dict[str, Path]:
    """Every module of the package, by name."""
    return {_name_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def folder_of(module: str) -> str:
    """The part of the package that a module is in: ``codec``, ``errors``; ``""`` for the root itself."""
    return module.split(".")[1] if "." in module else ""


@cache
def imports_of(module: str) -> frozenset[str]:
    """All that a module imports, ours and others', with dots resolved: modules where that can be told, else names."""
    path = sources()[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                found.add(submodule if submodule in sources() else base)
    return frozenset(found)


def our_imports_of(module: str) -> frozenset[str]:
    """Modules of the package that a module imports."""
    return frozenset(name for name in imports_of(module) if name.split(".")[0] == PACKAGE)


def libraries_of(module: str) -> frozenset[str]:
    """Other people's packages, and the standard library's, that a module imports: top-level names."""
    return frozenset(name.split(".")[0] for name in imports_of(module)) - {PACKAGE, "__future__"}
