"""Ports: taken before a model is loaded, which takes a while, so that one in use is said at once."""

from __future__ import annotations

import socket

from forge_lib.lab.files import why
from forge_lib.serving import ServingError


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """A socket that listens (0: at a free port): who asks early waits.

    Raises ServingError that names the command line's `option` where it cannot be had.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise unusable(host, port, error, option) from error


def unusable(host: str, port: int, error: Exception, option: str = "--port") -> ServingError:
    """The sentence about a port that cannot be had, for whoever takes it by a library's own hand.

    >>> print(unusable("127.0.0.1", 80, PermissionError(13, "Permission denied")))
    Port 80 of 127.0.0.1 cannot be used (Permission denied). Stop what listens there, or choose another with --port.
    """
    reason = why(error).partition(" (while")[0]  # the rest says host and port again
    return ServingError(
        f"Port {port} of {host} cannot be used ({reason}). Stop what listens there, or choose another with {option}."
    )
