"""Downloads from a server on this machine that resumes, breaks off, lies, or is not there."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from minitorch_cifar.vision.datasets import CIFAR10, DatasetError, download
from minitorch_cifar.vision.datasets.download import fetch

from . import cifar_fixtures as files

CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT under several kinds of behaviour, named by the path, and logs (path, Range)."""

    def do_GET(self) -> None:
        kind = self.path.strip("/")
        wanted = self.headers.get("Range")
        self.server.log.append((kind, wanted))
        content = self.server.content
        if kind == "gone":
            self.send_error(404, "Not Found")
            return
        if kind == "wrong":
            content = content[:-1] + b"!"
        if kind == "short":
            content = content[:-1]
        start = 0
        if wanted and kind not in ("plain", "wrong"):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            shown = start + 7 if kind == "shifted" else start
            self.send_header("Content-Range", f"bytes {shown}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + 300_000 if kind == "breaks" else len(content)
        with contextlib.suppress(BrokenPipeError):  # the client has had enough
            self.wfile.write(content[start:end])

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.log: list[tuple[str, str | None]] = []
        self.content = CONTENT

    def address(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{kind}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def get(server: Server, target: Path, *kinds: str) -> Path:
    return fetch([server.address(kind) for kind in kinds], target, MD5, len(CONTENT))


def test_whole_file(server, tmp_path):
    target = get(server, tmp_path / "deep" / "file", "good")
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["file"]
    get(server, target, "good")
    assert server.log == [("good", None)], "a file that is right is not fetched again"


def test_a_partial_file_is_resumed(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:123_456])
    assert get(server, tmp_path / "file", "good").read_bytes() == CONTENT
    assert server.log == [("good", "bytes=123456-")]


def test_a_server_that_cannot_resume_starts_over(server, tmp_path):
    (tmp_path / "file.part").write_bytes(b"x" * 123_456)
    assert get(server, tmp_path / "file", "plain").read_bytes() == CONTENT


def test_broken_connection_goes_on_at_the_next_address(server, tmp_path, capsys):
    assert get(server, tmp_path / "file", "breaks", "good").read_bytes() == CONTENT
    assert server.log == [("breaks", None), ("good", "bytes=300000-")]
    assert "300,000 of 1,024,000" in capsys.readouterr().err


def test_broken_connection_is_resumed_by_the_next_run(server, tmp_path):
    with pytest.raises(DatasetError, match="kept"):
        get(server, tmp_path / "file", "breaks")
    assert (tmp_path / "file.part").stat().st_size == 300_000
    get(server, tmp_path / "file", "good")
    assert server.log[-1] == ("good", "bytes=300000-")


def test_every_address_and_its_reason_is_named(server, tmp_path):
    addresses = [server.address(kind) for kind in ("gone", "wrong", "short")]
    closed = "http://127.0.0.1:9/closed"
    with pytest.raises(DatasetError) as caught:
        fetch([*addresses, closed], tmp_path / "file", MD5, len(CONTENT))
    message = str(caught.value)
    assert all(address in message for address in (*addresses, closed))
    assert "404" in message
    assert "wrong content: MD5" in message
    assert MD5 in message
    assert "1,023,999 bytes, expected 1,024,000" in message
    assert "no connection" in message
    assert str(tmp_path / "file") in message
    assert not (tmp_path / "file").exists()


def test_wrong_content_is_thrown_away_and_the_old_file_kept(server, tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(DatasetError):
        get(server, target, "wrong")
    assert target.read_bytes() == b"old"
    assert not (tmp_path / "file.part").exists()
    assert get(server, target, "wrong", "good").read_bytes() == CONTENT


def test_a_wrong_position_is_noticed(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:1000])
    with pytest.raises(DatasetError, match="asked for byte 1000"):
        get(server, tmp_path / "file", "shifted")


def test_a_partial_file_that_is_too_long_is_thrown_away(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT + b"more")
    assert get(server, tmp_path / "file", "good").read_bytes() == CONTENT


def test_a_slow_address_is_left_and_taken_again_only_if_no_other_works(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(download, "SLOW_BYTES_PER_SECOND", 10**15)
    monkeypatch.setattr(download, "CHUNK", 100_000)
    assert get(server, tmp_path / "file", "good", "gone").read_bytes() == CONTENT
    assert [kind for kind, _ in server.log] == ["good", "gone", "good"]
    assert server.log[-1][1] == "bytes=100000-"


def test_cifar_downloads_unpacks_and_does_not_download_again(server, tmp_path, monkeypatch):
    archive = files.pack(files.write_python(tmp_path / "made"), tmp_path / "made.tar.gz")
    server.content = archive.read_bytes()
    md5 = hashlib.md5(server.content).hexdigest()
    monkeypatch.setattr(CIFAR10, "url", server.address("gone"))
    monkeypatch.setattr(CIFAR10, "mirrors", (server.address("good"),))
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5)
    size = {"python": len(server.content), "binary": 0}
    monkeypatch.setattr(CIFAR10, "format", replace(files.SMALL, archive_size=size))
    root = tmp_path / "data"
    dataset = CIFAR10(root, train=False, download=True)
    assert len(dataset) == 200
    assert [kind for kind, _ in server.log] == ["gone", "good"]
    assert sorted(path.name for path in root.iterdir()) == ["cifar-10-batches-py", "cifar-10-python.tar.gz"]
    CIFAR10(root, download=True)
    assert len(server.log) == 2

    (root / "cifar-10-batches-py" / "data_batch_2").write_bytes(b"damaged")
    with pytest.raises(DatasetError, match="data_batch_2"):
        CIFAR10(root)
    assert len(CIFAR10(root, download=True)) == 1000
    assert len(server.log) == 2, "the archive is still there and right"
