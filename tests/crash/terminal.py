"""Runs a command at a terminal of its own, and types Ctrl-C there on SIGTERM: `python terminal.py COMMAND …`."""

import os
import pty
import signal
import sys
from contextlib import suppress

_CTRL_C = b"\x03"


def main(command: list[str]) -> int:
    """Return what the command returns."""
    child, terminal = pty.fork()
    if not child:
        os.execvp(command[0], command)  # noqa: S606 - a shell would be another process
    signal.signal(signal.SIGTERM, lambda *_: os.write(terminal, _CTRL_C))
    # The terminal is gone when nobody has it open any more.
    with suppress(OSError):
        while os.read(terminal, 4096):
            pass
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
