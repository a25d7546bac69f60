"""The demo's web site: a page that answers, and `/never`, which answers for ever and never ends.

    python -m tools.demo_site PORT

A server that drips like this is what makes a task really stuck: no error, no end, a timeout between two
bytes that never strikes.
"""

import asyncio
import sys

_PAGE = """<!doctype html><html><head><title>Handing over a shift</title></head><body><article>
<h1>Handing over a shift</h1>
<p>Before you go, say what is still running and why, which alarms you silenced and until when, and what you
would look at next. Whoever comes after you starts from these three sentences.</p>
<p>A stuck task that somebody already looks at is named with its id. A queue that was paused is named with the
time at which it must go on.</p></article></body></html>"""
_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request; on `/never`, a byte each second until the client has had enough."""
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        if request.startswith(b"GET /never"):
            writer.write(f"{_HEAD}\r\n<!doctype html>".encode())
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(1)
        else:
            page = _PAGE.encode()
            writer.write(f"{_HEAD}Content-Length: {len(page)}\r\n\r\n".encode() + page)
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return  # the client is gone, or spoke no HTTP
    finally:
        writer.close()


async def serve(port: int) -> None:
    """Serve on the loopback interface until ended."""
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
