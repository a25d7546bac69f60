"""Documents for the tests: made here, so that each test shows what is in them."""

from pathlib import Path


def pdf_of(text: str) -> bytes:
    """Return a small, whole PDF of one page that says the text (letters and spaces)."""
    drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(data)
    return data + b"xref\n0 6\n0000000000 65535 f \n" + table + end


BROKEN_PDF = b"%PDF-1.7\nthis is where a file should be, and is not\n"


def html_of(title: str, *paragraphs: str) -> str:
    """Return an HTML page with a menu around its text."""
    told = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body>"
        f'<nav><a href="/">Everything else</a></nav><main><h1>{title}</h1>{told}</main></body></html>'
    )


def handbook(folder: Path, turned: str = "valve") -> Path:
    """Fill a folder with one document of each kind, one of them broken, and what must not be read."""
    (folder / "guide").mkdir(parents=True)
    (folder / "guide" / "install.md").write_text(f"# Installing\n\nTurn the *{turned}* slowly.\n")
    (folder / "guide" / "pumps.html").write_text(
        html_of("Pumps", *["The pump on the second floor needs oil every spring."] * 8)
    )
    (folder / "notes.txt").write_bytes(
        "Ventil: Öl prüfen, die Straße hinunter.\n".encode("latin-1")
    )
    (folder / "manual.pdf").write_bytes(pdf_of("The boiler manual"))
    (folder / "broken.pdf").write_bytes(BROKEN_PDF)
    (folder / ".hidden.md").write_text("# Hidden\n")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder
