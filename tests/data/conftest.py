"""What the tests of the data room share: a room with nothing in it, a tiny published set."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from tiny_set import Server, TinySet

from course_utils.data import catalogue, fetch, generated, loading, transfer


@pytest.fixture
def room(monkeypatch, tmp_path):
    """An empty cache, no COURSE_DATA, nothing remembered of the network."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    for proxy in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(proxy, "127.0.0.1")
    monkeypatch.setattr(fetch, "_verified", set())
    monkeypatch.setattr(transfer, "_memory", {})
    return tmp_path


@pytest.fixture
def server():
    serving = Server()
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield serving
    serving.shutdown()
    serving.server_close()


@pytest.fixture
def tiny(room, server, monkeypatch):
    """The tiny set, published on two mirrors (the same server under two names), known to load()."""
    published = TinySet([f"{server.url}first/", f"{server.url}second/"])
    server.files = dict(published.files)
    publish(published, room, monkeypatch)
    return published


def publish(published: TinySet, folder, monkeypatch) -> None:
    path = folder / "sources.toml"
    path.write_text(published.toml(), encoding="utf-8")
    catalogue.catalogue.cache_clear()
    monkeypatch.setattr(loading, "catalogue", lambda: catalogue.catalogue.__wrapped__(path))


@pytest.fixture
def drawn(monkeypatch):
    """Quick generators in the place of the real ones, which have tests of their own; returns what they were asked."""
    asked = []

    def draw(path, name, split, n, seed, size):
        asked.append((name, split, n, seed, size))
        rng = np.random.default_rng(seed)
        channels = 1 if name == "handwriting" else 3
        images = rng.integers(0, 256, (n, size, size, channels), np.uint8)
        labels = np.arange(n, dtype=np.int64) % 10
        if n >= generated.WORTH_KEEPING:
            generated._keep(path, images, labels)
        return images, labels

    monkeypatch.setattr(generated, "_draw_and_keep", draw)
    return asked
