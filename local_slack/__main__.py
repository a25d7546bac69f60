"""`python -m local_slack`: run until SIGTERM or SIGINT."""

import asyncio
import signal
import sys

from local_slack.errors import BadSetup
from local_slack.options import Options, options_from_command_line
from local_slack.server import Server


async def serve(options: Options) -> None:
    """Listen, say where, and stop cleanly when asked."""
    server = Server(options)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    base_url = await server.start()
    sys.stdout.write(f"local slack listening on {base_url}\n")
    sys.stdout.flush()
    await stopping.wait()
    await server.stop()


def main() -> int:
    """0 after a clean stop; 2 with one sentence when it can't start."""
    options = options_from_command_line()
    try:
        asyncio.run(serve(options))
    except BadSetup as wrong:
        sys.stderr.write(f"local slack: {wrong}\n")
        return 2
    except OSError as taken:
        sys.stderr.write(
            f"local slack can't listen on {options.host}:{options.port}: {taken.strerror or taken}\n"
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
