"""Reads Q_CURIOSITY_INVESTIGATE, looks for the module that the question speaks of, prints what it found as JSON."""

import json
import pathlib
import sys

facts = json.load(sys.stdin)["facts"]
question = facts["question"].lower()
print("looking into:", facts["question"], file=sys.stderr)
modules = [path for path in sorted(pathlib.Path("organs").iterdir()) if path.is_dir() and path.name in question]
if modules:
    module = modules[0]
    files = [file for file in module.glob("*.py") if file.name != "__init__.py"]
    found = {
        "hypothesis": f"UNDISCOVERED_MODULE_{module.name}",
        "module_name": module.name,
        "module_path": module.name,
        "py_files_count": len(files),
        "confidence": 0.9,
        "actionable": True,
    }
else:
    found = {"hypothesis": "NOTHING_FOUND", "confidence": 0.2, "actionable": False}
print(json.dumps(found))
