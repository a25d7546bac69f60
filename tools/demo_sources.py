"""What the demo reads: real documents, a file that is broken, and a site that never answers."""

import email
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

_SUFFIXES = {"text/markdown": ".md", "text/x-rst": ".rst"}
_SHORTEST = 400
"""Characters below which a package's description is no document worth reading."""


def lay_out(root: Path, environment: Path, folder: Path, site: str) -> list[Path]:
    """Write the sources below `folder`, and return what to run, in order.

    `environment` is a virtual environment, whose packages' own descriptions are documents; `site` is the
    address of the demo's web site.
    """
    handbook = folder / "handbook"
    for name, text in (*_of_project(root), *_of_packages(environment)):
        _write(handbook / name, text)
    pdf = _pdf("Opening hours of the on-call desk", "Every day, all day. Ring twice.")
    _write(handbook / "scans" / "opening-hours.pdf", pdf)
    _write(handbook / "scans" / "minutes-half-uploaded.pdf", pdf[: len(pdf) // 3])
    # the agent reads a source once at a time, and an earlier demo's run of this one never ended
    links = folder / f"links-{datetime.now(UTC):%H%M%S}.urls"
    _write(links, f"{site}/handing-over\n{site}/never\n".encode())
    return [handbook, links]


def clear(folder: Path) -> None:
    """Remove what an earlier start laid out, so that documents that are gone do not stay."""
    shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)


def _of_project(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in (*sorted(root.glob("*.md")), *sorted(root.glob("docs/**/*.md"))):
        yield f"project/{path.relative_to(root)}", path.read_bytes()


def _of_packages(environment: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(environment.glob("lib/python*/site-packages/*.dist-info/METADATA")):
        about = email.message_from_bytes(path.read_bytes())
        text = str(about.get_payload())
        kind = str(about.get("Description-Content-Type", "")).partition(";")[0].strip()
        if len(text) >= _SHORTEST:
            name = str(about["Name"]).lower()
            yield f"packages/{name}{_SUFFIXES.get(kind, '.txt')}", text.encode(errors="replace")


def _pdf(title: str, sentence: str) -> bytes:
    """Return a PDF of one page (ISO 32000-1, 7.5: header, objects, cross-references, trailer)."""
    drawn = f"BT /F1 18 Tf 72 720 Td ({title}) Tj 0 -30 Td ({sentence}) Tj ET"
    fonts = "/Resources << /Font << /F1 5 0 R >> >>"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {fonts} >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    data, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        places.append(len(data))
        data += f"{number} 0 obj\n{text}\nendobj\n".encode()
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + f"xref\n0 {size}\n0000000000 65535 f \n{rows}{end}".encode()
