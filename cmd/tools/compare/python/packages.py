"""What Python packages take on disk, as JSON: the versions here, and of each argument the bytes.

Usage: python packages.py NAME,NAME... ...

An argument names the packages that a handler imports; those that they need are counted with them. Compiled
bytecode is not.
"""

import json
import platform
import re
import sys
from importlib import metadata


def needed(names):
    """The packages and all that they need, which are installed here."""
    found, left = {}, list(names)
    while left:
        name = left.pop()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another system, or an extra
        for requirement in found[name].requires or []:
            if "extra ==" not in requirement:
                left.append(re.match(r"[\w.-]+", requirement)[0].lower())
    return found


def size(distribution):
    paths = (distribution.locate_file(file) for file in distribution.files or [])
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())


def main():
    versions, sizes = {"python": platform.python_version()}, {}
    for argument in sys.argv[1:]:
        packages = needed(argument.split(","))
        versions |= {name: d.version for name, d in packages.items()}
        sizes[argument] = sum(map(size, packages.values()))
    print(json.dumps({"versions": versions, "bytes": sizes}))


if __name__ == "__main__":
    main()
