"""The first file that an environment's Python runs: it makes this package, and nothing beside it, importable there.

The server's own packages lie beside this one, and are of another environment: a search path would let them in.
"""

import os
import sys

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if sys.path[:1] == [os.path.dirname(os.path.abspath(__file__))]:
    del sys.path[0]
if sys.version_info < (3, 11):
    sys.exit("modelwright: this environment's Python is too old: models run in Python 3.11 or newer")

from importlib.util import module_from_spec, spec_from_file_location

_spec = spec_from_file_location("modelwright", os.path.join(_HERE, "__init__.py"), submodule_search_locations=[_HERE])
assert _spec is not None and _spec.loader is not None  # noqa: S101
if "modelwright" not in sys.modules:
    _package = module_from_spec(_spec)
    sys.modules["modelwright"] = _package
    _spec.loader.exec_module(_package)

if __name__ == "__main__":
    from importlib import import_module

    import_module(sys.argv[1]).main(sys.argv[2:])
