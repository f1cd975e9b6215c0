"""Becomes the simulated engine: one process, the same arguments."""

import os
import shutil
import sys

ENGINE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "launch.js")


def main() -> None:
    node = shutil.which("node")
    if node is None:
        sys.exit("the simulated engine needs Node 22.18 or newer, and there is no `node` on PATH")
    os.execv(node, [node, os.path.normpath(ENGINE), *sys.argv[1:]])


if __name__ == "__main__":
    main()
