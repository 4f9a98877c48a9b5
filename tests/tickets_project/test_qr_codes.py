"""QR pictures, read back with a small reader of our own: version 1, level M, letters and digits."""

import re
import struct
import zlib

import pytest

from bookings.codes import redemption_code
from tickets_project.qr_codes import in_fours, qr_png, qr_svg

SIZE, BORDER = 21, 4
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def decoded(document: str) -> str:
    """Return the text in the one QR picture of a document, as ISO/IEC 18004 says."""
    dark = _dark_squares(document)
    bits = "".join(str(int(((x, y) in dark) != _masked(x, y))) for x, y in _data_squares())
    mode, count, rest = bits[:4], int(bits[4:13], 2), bits[13:]
    assert mode == "0010", "not alphanumeric"
    pairs = [divmod(int(rest[11 * n : 11 * n + 11], 2), 45) for n in range(count // 2)]
    return "".join(LETTERS[first] + LETTERS[second] for first, second in pairs)


def _dark_squares(document: str) -> set[tuple[int, int]]:
    [path] = re.findall(r'<path[^>]* d="([^"]+)"', document)
    dark, x, y = set(), 0.0, 0.0
    for move, numbers in re.findall("([Mmh])([^Mmh]+)", path):
        steps = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if move == "h":
            dark |= {(int(x) + step - BORDER, int(y) - BORDER) for step in range(int(steps[0]))}
            x += steps[0]
        else:
            x, y = (steps[0], steps[1]) if move == "M" else (x + steps[0], y + steps[1])
    return dark


def _masked(x: int, y: int) -> bool:
    return (y // 2 + x // 3) % 2 == 0


def _data_squares() -> list[tuple[int, int]]:
    """Return the squares in the order of reading: pairs of columns from the right, up and down in turns."""
    columns = [*range(SIZE - 1, 6, -2), 5, 3, 1]
    return [
        (column - side, y)
        for turn, column in enumerate(columns)
        for y in (range(SIZE - 1, -1, -1) if turn % 2 == 0 else range(SIZE))
        for side in (0, 1)
        if not _is_fixed(column - side, y)
    ]


def _is_fixed(x: int, y: int) -> bool:
    in_corner = (x < 9 and (y < 9 or y > 12)) or (x > 12 and y < 9)
    return in_corner or 6 in {x, y}


def text_in(png: bytes) -> str:
    """Return the text of a QR picture, through its squares."""
    scale, border = 8, 4
    rows = _pixels(png)
    squares = [
        f"M{x} {y}h1"
        for y, row in enumerate(rows[::scale])
        for x, is_light in enumerate(row[::scale])
        if not is_light and x >= border
    ]
    return decoded(f'<path d="{"".join(squares)}"/>')


def _pixels(png: bytes) -> list[list[int]]:
    """Return rows of 0 (black) and 1 (white) of a PNG (RFC 2083) with one bit a pixel, filtered by rows at most."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, position = dict[bytes, bytes](), 8
    while position < len(png):
        length, kind = struct.unpack(">I4s", png[position : position + 8])
        chunks[kind] = chunks.get(kind, b"") + png[position + 8 : position + 8 + length]
        position += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (1, 0)
    content, stride = zlib.decompress(chunks[b"IDAT"]), 1 + (width + 7) // 8
    rows, above = list[list[int]](), bytes(stride - 1)
    for start in range(0, height * stride, stride):
        # The filters None and Up.
        assert content[start] in {0, 2}
        line = content[start + 1 : start + stride]
        above = bytes((a + b) % 256 for a, b in zip(line, above, strict=True)) if content[start] else line
        rows.append([above[x // 8] >> (7 - x % 8) & 1 for x in range(width)])
    return rows


class TestQrSvg:
    def test_holds_the_text(self) -> None:
        for code in (redemption_code(), "ABCDEFGH23456789"):
            assert decoded(qr_svg(code)) == code

    def test_does_not_spell_the_text(self) -> None:
        assert "ABCDEFGH" not in qr_svg("ABCDEFGH23456789")

    def test_is_one_element_that_takes_the_size_of_its_place(self) -> None:
        picture = qr_svg("ABCDEFGH23456789")
        assert re.match(r'<svg xmlns="http://www\.w3\.org/2000/svg" viewBox="0 0 29 29"', picture)
        assert picture.endswith("</svg>")
        assert not re.search(r"<svg[^>]* (width|height)=", picture)

    @pytest.mark.parametrize("text", ["<script>", "żółć", "x" * 500])
    def test_takes_any_text(self, text: str) -> None:
        assert text not in qr_svg(text)


class TestQrPng:
    def test_holds_the_text(self) -> None:
        for code in (redemption_code(), "ABCDEFGH23456789"):
            assert text_in(qr_png(code)) == code


class TestInFours:
    def test_groups(self) -> None:
        assert in_fours("ABCDEFGH23456789") == "ABCD EFGH 2345 6789"
        assert in_fours("") == ""
