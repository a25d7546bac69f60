"""The rows, in order."""

from bench.row_acknowledging import ACKNOWLEDGING
from bench.row_clear import CLEAR_ROW
from bench.row_counts import COUNTS
from bench.row_flush import FLUSH_ROW
from bench.row_looking import FROZEN, LOOKING
from bench.row_looking_amqp import AMQP_FROZEN, AMQP_LOOKING
from bench.row_memory import MEMORY
from bench.row_message import MESSAGE
from bench.row_purge import PURGE_ROW
from bench.row_purge_amqp import AMQP_PURGE_ROW
from bench.row_queued import QUEUED_ROW
from bench.row_recorder import RECORDING
from bench.row_shell import SHELL
from bench.row_socket import SOCKET
from bench.row_stats import POSTGRES_STATS_ROW, STATS_ROW
from bench.row_tracking import TRACKING
from bench.rows import Row

ROWS: tuple[Row, ...] = (
    LOOKING,
    AMQP_LOOKING,
    FROZEN,
    AMQP_FROZEN,
    ACKNOWLEDGING,
    SOCKET,
    STATS_ROW,
    POSTGRES_STATS_ROW,
    COUNTS,
    RECORDING,
    TRACKING,
    FLUSH_ROW,
    CLEAR_ROW,
    PURGE_ROW,
    AMQP_PURGE_ROW,
    QUEUED_ROW,
    MESSAGE,
    SHELL,
    MEMORY,
)
