"""QR pictures, the same on paper and on screens."""

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
