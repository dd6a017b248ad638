"""Importing this module raises the error of :func:`mmtmix.host.check_host` if there is one.

The rooms that need the host stack import it first, so that a user without one reads what to
install. It runs once per process.
"""

from .host import check_host

check_host()
