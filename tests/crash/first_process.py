"""Runs a command as the first process of a container, whose children all orphans below it become: Linux alone."""

import ctypes
import os
import sys

# From linux/prctl.h; outlives the exec.
_PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> None:
    """Become the command.

    :raises OSError: if the kernel does not let orphans be adopted
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    os.execvp(command[0], command)  # noqa: S606 - a shell would be another process


if __name__ == "__main__":
    main(sys.argv[1:])
