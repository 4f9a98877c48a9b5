"""QR pictures, the same on paper and on screens."""

import segno

# Trying all eight masks costs four times as much, and any of them scans.
_MASK = 4


def qr_svg(text: str) -> str:
    """Return the text as an SVG element without a size of its own; the text itself is not in it."""
    picture: str = segno.make_qr(text, error="m", mask=_MASK).svg_inline(
        border=4, omitsize=True, svgclass="qr", svgns=True
    )
    return picture
