"""Whether the module that was just integrated, MODULE_NAME, can be imported."""

import importlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, "organs")
importlib.import_module(os.environ["MODULE_NAME"])
