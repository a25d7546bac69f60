"""A web site for the agent to read: pages that change, fail, redirect, and one that never comes to an end."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.agent.material import html_of


class Site:
    """What the site serves, and what it was asked. `_Handler` has its paths."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.article = html_of("Boilers", *["A boiler that sings wants its limescale removed."] * 8)
        self.asked: list[tuple[str, str | None]] = []
        """Each request's path and If-None-Match."""
        self.closing = threading.Event()

    @property
    def etag(self) -> str:
        """The article's version."""
        return f'"{len(self.article)}"'


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        asked = [path for path, _ in self.site.asked]
        self.site.asked.append((self.path, self.headers.get("If-None-Match")))
        if self.path.startswith("/drip"):
            self._drip()
        elif self.path == "/article":
            self._article()
        elif self.path == "/flaky" and "/flaky" in asked:
            self._say(200, "text/plain", b"I was away for a moment.")
        elif self.path == "/flaky":
            self._say(503, "text/plain", b"busy")
        elif self.path == "/picture":
            self._say(200, "image/png", b"\x89PNG")
        elif self.path == "/round":
            self._say(302, "text/plain", b"", Location="/round")
        elif self.path == "/inside":
            self._say(302, "text/plain", b"", Location="file:///etc/passwd")
        else:
            self._say(404, "text/plain", b"nothing")

    def _article(self) -> None:
        if self.headers.get("If-None-Match") == self.site.etag:
            self._say(304, "text/html", b"")
        else:
            self._say(200, "text/html", self.site.article.encode(), ETag=self.site.etag)

    def _say(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        with contextlib.suppress(OSError):  # the reader was killed
            while not self.site.closing.wait(0.1):
                self.wfile.write(b".")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Stay quiet: `Site.asked` has it."""


@contextlib.contextmanager
def serving_site() -> Iterator[Site]:
    """Serve the site on a free port."""

    class Handler(_Handler):
        """Of this site alone."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(server.server_port)
        Handler.site = site
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield site
        finally:
            site.closing.set()
            server.shutdown()
            thread.join()
