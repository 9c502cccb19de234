"""The logo of the demo's company: a sail over water, drawn, so that no picture has to be kept."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw

SIDE = 96  # pixels; shown at less than half
DRAWN = 4  # times larger, so that edges are smooth
INK, SAIL = "#0f5e63", "#ffffff"


def png() -> bytes:
    picture = Image.new("RGBA", (SIDE * DRAWN, SIDE * DRAWN), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(_at(0, 0, 96, 96), radius=20 * DRAWN, fill=INK)
    draw.polygon(_at(44, 16, 44, 62, 18, 62), fill=SAIL)
    draw.polygon(_at(52, 26, 52, 62, 76, 62), fill=SAIL)
    draw.rounded_rectangle(_at(16, 70, 80, 77), radius=3 * DRAWN, fill=SAIL)
    found = BytesIO()
    picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(found, "PNG")
    return found.getvalue()


def _at(*places: int) -> list[int]:
    return [place * DRAWN for place in places]
