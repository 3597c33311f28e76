"""What pyright thinks of the types: every public name has one, and the check of the types holds for it too."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PYRIGHT = BIN / "pyright"

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not PYRIGHT.exists(), reason="there is no pyright here: make types-pyright installs it"),
]


def pyright(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run it in a folder, with this environment's packages; what it reports."""
    path = os.pathsep.join((str(BIN), os.environ["PATH"]))  # --pythonpath is not heeded by --verifytypes
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    command = [str(PYRIGHT), "--outputjson", *arguments]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def test_every_public_name_has_a_type(tmp_path: Path) -> None:
    """100 %, modules and attributes of classes included."""
    report = pyright(tmp_path, "--verifytypes", "deepseek_async", "--ignoreexternal")["typeCompleteness"]
    left = [
        f"{symbol['name']}: {' '.join(found['message'] for found in symbol['diagnostics'])}"
        for symbol in report["symbols"]
        if symbol["isExported"] and not (symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"])
    ]
    assert left == []
    assert report["completenessScore"] == 1
    assert report["exportedSymbolCounts"]["withKnownType"] > 1000


def test_the_check_of_the_types_holds(tmp_path: Path) -> None:
    """In strict mode: what must pass passes, and each line that must not does not."""
    text = (ROOT / "tests" / "typing_check.py").read_text()
    text, count = re.subn(r"# type: ignore\[[\w, -]+\]", "# pyright: ignore", text)
    (tmp_path / "typing_check.py").write_text(text)
    settings = {"typeCheckingMode": "strict", "reportUnnecessaryTypeIgnoreComment": True}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    report = pyright(tmp_path, "typing_check.py")
    found = [f"{each['range']['start']['line'] + 1}: {each['message']}" for each in report["generalDiagnostics"]]
    assert found == []
    assert count > 10
