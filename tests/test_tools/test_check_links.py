"""tools/check_links.py finds addresses in a site, and those that cannot be opened."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

STATUS = {'/there': 200, '/gone': 404, '/for-browsers': 403}


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(STATUS[self.path])
            self.end_headers()

        def log_message(self, *args):
            pass

    with HTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


def test_addresses_that_fail_are_listed_with_their_pages(load, tmp_path, server, capsys):
    tool = load('check_links')
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a/index.html').write_text(
        f'<a href="{server}/there#x">a</a><img src="{server}/gone"><a href="../b">b</a>'
        f'<a href="{server}/for-browsers">c</a><a href="https://github.com/mmtmix/mmtmix">d</a>'
    )
    found = tool.addresses_of(tmp_path)
    assert found == {
        f'{server}{path}': ['a/index.html'] for path in ('/there', '/gone', '/for-browsers')
    }
    assert list(tool.faults(found, (0.0,))) == [f'{server}/gone: status 404 (in a/index.html)']
    with pytest.raises(FileNotFoundError, match='make docs'):
        tool.addresses_of(tmp_path / 'none')
