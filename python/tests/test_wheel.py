"""The wheel, and the source distribution, as somebody installs them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import ganglion

PROJECT = Path(__file__).parent.parent
VERSION = json.loads((PROJECT.parent / "package.json").read_text())["version"]


def has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


CAN_BUILD = has("build") and has("hatchling") and (has("pip") or has("ensurepip"))


def test_the_version_is_that_of_the_project() -> None:
    assert ganglion.__version__ == VERSION


@pytest.mark.skipif(not CAN_BUILD, reason="python3-build, python3-hatchling or python3-venv is missing: .ci/run installs them")
def test_the_wheel_is_built_from_the_source_distribution_and_works_in_a_fresh_environment(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check", "--outdir", str(tmp_path), str(PROJECT)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name == f"ganglion-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "ganglion/py.typed" in names
    assert all(name.startswith(("ganglion/", f"ganglion-{VERSION}.dist-info/")) for name in names)
    # The environment's own pip takes seconds to be put there: that of this Python can install there too.
    own_pip = not has("pip")
    venv.create(tmp_path / "venv", with_pip=own_pip)
    python = tmp_path / "venv" / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip"] if own_pip else [sys.executable, "-m", "pip", f"--python={python}"]
    subprocess.run([*pip, "install", "--quiet", "--no-index", str(wheel)], check=True)
    program = "import ganglion, sys; print(ganglion.__version__, ganglion.__file__.startswith(sys.prefix))"
    said = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert said.stdout.split() == [VERSION, "True"]
    help = subprocess.run([python, "-m", "ganglion", "--help"], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert "enqueue" in help.stdout
