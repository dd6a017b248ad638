"""Downloads from a server of this machine: whole, broken off, continued, wrong."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mmtmix.datasets.sources import download

pytestmark = pytest.mark.host

CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Sends CONTENT; the path says what goes wrong."""

    def do_GET(self):
        self.server.ranges.append(self.headers.get('Range'))
        if self.path == '/gone':
            self.send_error(404)
            return
        start = 0
        if self.headers.get('Range') and self.path != '/plain':
            start = int(self.headers['Range'].removeprefix('bytes=').rstrip('-'))
            if start >= len(CONTENT):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        self.send_header('Content-Length', str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start:]
        if self.path == '/breaks' and not start:
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as httpd:
        httpd.ranges = []
        httpd.url = f'http://127.0.0.1:{httpd.server_port}'
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield httpd
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize('md5', [MD5, None])
def test_whole_file(server, tmp_path, md5):
    download(f'{server.url}/file', tmp_path / 'new' / 'file', md5)
    assert (tmp_path / 'new' / 'file').read_bytes() == CONTENT
    assert len(list((tmp_path / 'new').iterdir())) == 1


def test_a_broken_download_is_taken_up_where_it_ended(server, tmp_path):
    with pytest.raises(ConnectionError, match=r'/breaks: .*broke off after 512000 of 1024000'):
        download(f'{server.url}/breaks', tmp_path / 'file', MD5)
    assert not (tmp_path / 'file').exists()
    assert (tmp_path / 'file.part').read_bytes() == CONTENT[:512000]
    download(f'{server.url}/breaks', tmp_path / 'file', MD5)
    assert server.ranges == [None, 'bytes=512000-']
    assert (tmp_path / 'file').read_bytes() == CONTENT
    assert not (tmp_path / 'file.part').exists()


def test_a_server_that_cannot_continue_sends_it_all_anew(server, tmp_path):
    (tmp_path / 'file.part').write_bytes(CONTENT[:1000])
    download(f'{server.url}/plain', tmp_path / 'file', MD5)
    assert (tmp_path / 'file').read_bytes() == CONTENT


@pytest.mark.parametrize('extra', [0, 10])
def test_a_part_that_is_long_enough(server, tmp_path, extra):
    (tmp_path / 'file.part').write_bytes(CONTENT + b'x' * extra)
    download(f'{server.url}/file', tmp_path / 'file', MD5)
    assert (tmp_path / 'file').read_bytes() == CONTENT
    assert len(server.ranges) == (2 if extra else 0)


def test_a_part_that_does_not_fit_is_deleted_with_the_rest(server, tmp_path):
    (tmp_path / 'file.part').write_bytes(b'x' * 1000)
    with pytest.raises(ValueError, match=f'not {MD5}; it was deleted'):
        download(f'{server.url}/file', tmp_path / 'file', MD5)
    assert not list(tmp_path.iterdir())
    download(f'{server.url}/file', tmp_path / 'file', MD5)


def test_without_a_checksum_nothing_is_continued(server, tmp_path):
    (tmp_path / 'file.part').write_bytes(b'x' * 1000)
    download(f'{server.url}/file', tmp_path / 'file')
    assert server.ranges == [None] and (tmp_path / 'file').read_bytes() == CONTENT


@pytest.mark.parametrize('path', ['/gone', None])
def test_unreachable(server, tmp_path, path):
    url = f'{server.url}{path}' if path else 'http://127.0.0.1:9/file'
    with pytest.raises(ConnectionError, match='404' if path else '127.0.0.1:9'):
        download(url, tmp_path / 'file', MD5)
    assert not list(tmp_path.iterdir())
