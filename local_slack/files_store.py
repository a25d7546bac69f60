"""Uploaded files, in memory."""

import secrets
from dataclasses import dataclass

from local_slack.shapes import Json

LARGEST = 50_000_000


@dataclass(kw_only=True)
class StoredFile:
    """One file: announced, then uploaded (`content`), then completed into a channel or kept for the app."""

    id: str
    key: str
    name: str
    length: int
    title: str = ""
    content: bytes | None = None
    mimetype: str = "application/octet-stream"
    completed: bool = False

    def as_json(self, base_url: str) -> Json:
        """The file object; its URL works for anyone on this machine."""
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "size": self.length,
            "url": f"{base_url}/files/{self.id}",
            "url_private": f"{base_url}/files/{self.id}",
            "permalink": f"{base_url}/files/{self.id}",
        }


class FilesStore:
    """All files, by id and by the secret part of their upload URL."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}

    def announce(self, name: str, length: int) -> StoredFile:
        """Make room for a file that is about to be uploaded."""
        file = StoredFile(
            id="F" + secrets.token_hex(5).upper(),
            key=secrets.token_urlsafe(12),
            name=name,
            length=length,
        )
        self._files[file.id] = file
        return file

    def get(self, file_id: str) -> StoredFile | None:
        """A file by id."""
        return self._files.get(file_id)

    def by_key(self, key: str) -> StoredFile | None:
        """A file by its upload URL."""
        return next((file for file in self._files.values() if file.key == key), None)
