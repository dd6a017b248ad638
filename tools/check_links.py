"""Open every address that a built site names on other servers, and list those that fail.

It needs the network, so no test and no build calls it: a workflow does, once a week. Addresses of
this project itself are left out, since they exist only after a change has landed.
"""

from __future__ import annotations

import argparse
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag

OWN = (
    'https://github.com/mmtmix/',
    'https://mmtmix.github.io/',
    'https://raw.githubusercontent.com/mmtmix/',
)
# servers that answer programs so, although browsers see the page
REFUSES_PROGRAMS = {401, 403, 405, 429}
PAUSES = (0.0, 5.0, 30.0)


class Addresses(HTMLParser):
    """Collects the addresses in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what a tag links to or loads."""
        for name, value in attrs:
            if name in ('href', 'src') and value and value.startswith(('http://', 'https://')):
                self.found.add(urldefrag(value).url)


def addresses_of(site: Path) -> dict[str, list[str]]:
    """Return the pages that name an address, by address.

    Args:
        site: Folder of the built site.

    Raises:
        FileNotFoundError: If it holds no page.
    """
    found: dict[str, list[str]] = {}
    pages = sorted(site.rglob('*.html'))
    if not pages:
        raise FileNotFoundError(f'{site} holds no page; build it first: make docs')
    for page in pages:
        reader = Addresses()
        reader.feed(page.read_text(encoding='utf-8'))
        for address in reader.found:
            if not address.startswith(OWN):
                found.setdefault(address, []).append(page.relative_to(site).as_posix())
    return found


def fault_of(address: str, pauses: tuple[float, ...] = PAUSES) -> str | None:
    """Return why an address cannot be opened; None if it can.

    Args:
        address: Address of a page.
        pauses: Seconds before each attempt.
    """
    fault = None
    for pause in pauses:
        time.sleep(pause)
        request = urllib.request.Request(address, headers={'User-Agent': 'Mozilla/5.0 (links)'})
        try:
            with urllib.request.urlopen(request, timeout=30):
                return None
        except urllib.error.HTTPError as error:
            if error.code in REFUSES_PROGRAMS:
                return None
            fault = f'status {error.code}'
        except OSError as error:
            fault = str(error)
    return fault


def faults(addresses: dict[str, list[str]], pauses: tuple[float, ...] = PAUSES) -> Iterator[str]:
    """Yield a line for each address that cannot be opened.

    Args:
        addresses: Pages by address.
        pauses: Seconds before each attempt.
    """
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(lambda address: fault_of(address, pauses), addresses)
        for (address, pages), fault in zip(addresses.items(), results, strict=True):
            if fault is not None:
                yield f'{address}: {fault} (in {", ".join(pages[:3])})'


def main(argv: list[str] | None = None) -> int:
    """Check a site and return the exit status.

    Args:
        argv: Arguments of the command line; those of the process if None.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('site', type=Path, help='folder of the built site')
    args = parser.parse_args(argv)
    addresses = addresses_of(args.site)
    lines = list(faults(addresses))
    print(f'{len(addresses)} addresses, {len(lines)} of them cannot be opened')
    print('\n'.join(lines), file=sys.stderr)
    return 1 if lines else 0


if __name__ == '__main__':
    sys.exit(main())
