"""What a pool's child has not sent yet, noted in memory that its parent sees too, and that outlives the child.

A task that starts must be known to have started, though its process be killed the next moment or never let go of the
interpreter again. A note costs it a twentieth of what writing to a socket does: the child sends what it noted soon,
and its parent tells what still stands there a moment later.
"""

import mmap
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from knowledge_base_agent.records.background import Background

LOOK_SECONDS = 0.2
"""A child sends after a quarter of this. What stands there at two looks is told."""
_BYTES = 65_536
_STATE = struct.Struct("=QIII")
"""The child's process id, how often the notes were cleared, how many bytes are in use, and their checksum."""
_LENGTH = struct.Struct("=I")
_LOOKS_FOR_A_CHILD = 3_000


class Notes:
    """One child's: that process writes, its parent reads. Not thread safe."""

    def __init__(self) -> None:
        """Make them before the fork."""
        self._memory = mmap.mmap(-1, _BYTES)
        self._writer = self._cleared = self._used = self._checksum = 0

    def take(self) -> bool:
        """Make them this process's own; tell whether nobody else's they are."""
        if self.state()[0]:
            return False
        self._writer = os.getpid()
        self._write_state()
        return self.state()[0] == self._writer

    def add(self, payload: bytes) -> bool:
        """Note a payload; False when it has no room."""
        note = _LENGTH.pack(len(payload)) + payload
        begin = _STATE.size + self._used
        end = begin + len(note)
        if end > _BYTES:
            return False
        self._memory[begin:end] = note
        self._used = end - _STATE.size
        self._checksum = zlib.crc32(note, self._checksum)
        self._write_state()
        return True

    def clear(self) -> None:
        """Forget all: it is sent."""
        if self._used:
            self._used = self._checksum = 0
            self._cleared += 1
            self._write_state()

    def state(self) -> tuple[int, int, int]:
        """Return the process that writes (0: none yet), how often it has cleared them, and how many bytes it uses."""
        writer, cleared, used, _ = _STATE.unpack_from(self._memory)
        return writer, cleared, used

    def read(self, cleared: int, begin: int) -> tuple[list[bytes], int]:
        """Return the payloads from this byte on, and the byte after them.

        There are none when the notes were cleared more often meanwhile, nor while they are being written.
        """
        _, now, used, checksum = _STATE.unpack_from(self._memory)
        noted = self._memory[_STATE.size : _STATE.size + used]
        if now != cleared or zlib.crc32(noted) != checksum:
            return [], begin
        return list(_payloads(noted, begin)), used

    def _write_state(self) -> None:
        _STATE.pack_into(self._memory, 0, self._writer, self._cleared, self._used, self._checksum)


def _payloads(noted: bytes, begin: int) -> Iterator[bytes]:
    while begin < len(noted):
        (length,) = _LENGTH.unpack_from(noted, begin)
        begin += _LENGTH.size + length
        yield noted[begin - length : begin]


@dataclass(kw_only=True)
class _Child:
    notes: Notes
    looks: int = 0
    cleared: int = 0
    """How often they had been cleared at the last look."""
    used: int = 0
    told: int = 0
    """How many of the bytes that stand there have been told."""


class ChildrensNotes:
    """The notes of all children of this process. Thread and fork safe."""

    def __init__(self, tell: Callable[[bytes], None]) -> None:
        """`tell` takes a payload that its child has not sent; perhaps it is only late, and sends it too."""
        self._tell = tell
        self._newest: Notes | None = None
        self._background = Background(
            self.look, forget=self._start_empty, every=LOOK_SECONDS, name="kb-children"
        )
        self._start_empty()

    def _start_empty(self) -> None:
        self._looking = threading.Lock()
        self._children: list[_Child] = []

    def expect(self) -> None:
        """Make notes for the child that is about to be forked."""
        self._newest = Notes()
        self._children.append(_Child(notes=self._newest))
        self._background.wake()

    def of_this_process(self) -> Notes | None:
        """Return, in a child, the notes that were made for it; None where there are none, or another child has them."""
        newest, self._newest = self._newest, None
        return newest if newest is not None and newest.take() else None

    def look(self) -> bool:
        """Tell what has stood in a child's notes since the last look; return whether there are any children."""
        with self._looking:
            self._children = [child for child in self._children if not self._has_left(child)]
            return bool(self._children)

    def tell_all(self) -> None:
        """Tell all that stands there, at the end."""
        for _ in range(2):
            self.look()

    def _has_left(self, child: _Child) -> bool:
        # Asked before its notes are read: what it notes until it goes is then among them.
        gone = _is_gone(child)
        _, cleared, used = child.notes.state()
        stood = cleared == child.cleared and child.used > 0
        child.told = child.told if cleared == child.cleared else 0
        child.looks, child.cleared, child.used = child.looks + 1, cleared, used
        if stood:
            self._tell_of(child)
        return gone and child.told >= used

    def _tell_of(self, child: _Child) -> None:
        if child.told < child.used:
            payloads, child.told = child.notes.read(child.cleared, child.told)
            for payload in payloads:
                self._tell(payload)


def _is_gone(child: _Child) -> bool:
    writer, *_ = child.notes.state()
    if not writer:
        # It died before it began, or two were forked at once and have the same; a late one finds them taken.
        return child.looks > _LOOKS_FOR_A_CHILD and child.notes.take()
    try:
        os.kill(writer, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it works as another user
        return False
    return False
