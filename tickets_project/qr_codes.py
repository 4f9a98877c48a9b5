"""Ticket codes as scanners and people read them, the same on paper, on screens and in mails."""

from io import BytesIO

import segno

# Trying all eight masks costs four times as much, and any of them scans.
_MASK = 4


def qr_svg(text: str) -> str:
    """Return the text as an SVG element without a size of its own; the text itself is not in it."""
    picture = BytesIO()
    segno.make_qr(text, error="m", mask=_MASK).save(
        picture, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, nl=False
    )
    return picture.getvalue().decode()


def qr_png(text: str) -> bytes:
    """Return the text as a PNG, for what shows no SVG, as most mail programs."""
    picture = BytesIO()
    segno.make_qr(text, error="m", mask=_MASK).save(picture, kind="png", scale=8, border=4)
    return picture.getvalue()


def in_fours(code: str) -> str:
    """Return a code as people read it aloud."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))
