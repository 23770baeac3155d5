"""A tiny set published by a server of the test's own, which misbehaves on demand."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


def idx(array: np.ndarray) -> bytes:
    """Write an idx file from the format's definition, with nothing of the package."""
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as file:
        file.write(content)
    return stream.getvalue()


class TinySet:
    """A set of 30 + 12 images of 28 × 28 pixels in 3 classes, published on a server of the test."""

    def __init__(self, mirrors: list[str]) -> None:
        rng = np.random.default_rng(0)
        self.images = {s: rng.integers(0, 256, (n, 28, 28), np.uint8) for s, n in (("train", 30), ("test", 12))}
        self.labels = {s: np.arange(len(x), dtype=np.uint8) % 3 for s, x in self.images.items()}
        self.mirrors = mirrors
        self.files = {}
        for split in ("train", "test"):
            self.files[f"{split}-images.gz"] = zipped(idx(self.images[split]))
            self.files[f"{split}-labels.gz"] = zipped(idx(self.labels[split]))

    def toml(self) -> str:
        def entry(name: str) -> str:
            content = self.files[name]
            return f'{{name = "{name}", size = {len(content)}, sha256 = "{hashlib.sha256(content).hexdigest()}"}}'

        lists = "\n".join(f"{s} = [{entry(f'{s}-images.gz')}, {entry(f'{s}-labels.gz')}]" for s in ("train", "test"))
        return (
            '[tiny]\ntitle = "Minuscule"\ndescription = "Essai."\nclass_names = ["a", "b", "c"]\nlicence = "MIT"\n'
            'citation = "Personne, 2024."\nshape = [28, 28, 1]\ncounts = {train = 30, test = 12}\n'
            f'stand_in = "handwriting"\n[[tiny.edition]]\nformat = "idx"\nmirrors = {self.mirrors}\n{lists}\n'
        )

    def put(self, folder) -> None:
        """Copy the files where a reader looks for them under `folder`."""
        (folder / "tiny").mkdir(parents=True)
        for name, content in self.files.items():
            (folder / "tiny" / name).write_bytes(content)


class Server(ThreadingHTTPServer):
    """Files over HTTP, with faults on demand: ``faults[path]`` is a list of what befalls the next requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list] = defaultdict(list)
        self.requests: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def gets(self, name: str = "") -> list[str | None]:
        """Return the Range header of each GET received, in order."""
        return [wanted for verb, path, wanted in self.requests if verb == "GET" and path.endswith(name)]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *args) -> None:
        pass

    def do_HEAD(self) -> None:
        self.server.requests.append(("HEAD", self.path, None))
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        path, wanted = self.path.rsplit("/", 1)[-1], self.headers.get("Range")
        self.server.requests.append(("GET", self.path, wanted))
        fault = self.server.faults[path].pop(0) if self.server.faults[path] else None
        content = self.server.files.get(path)
        if fault == "refuse" or content is None:
            return self.send_error(404)
        if fault == "portal":
            content = b"<html>Connectez-vous au wifi</html>"
        elif fault == "flip":
            content = bytes([content[0] ^ 1]) + content[1:]
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and fault != "no-range" else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        kept = fault[1] if isinstance(fault, tuple) else len(content)  # ("cut", bytes sent before the connection drops)
        self.wfile.write(content[start : start + kept])
