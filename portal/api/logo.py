"""An uploaded logo, made into a PNG of our own: nothing of the file that came in is kept but its pixels."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

LARGEST_FILE = 512 * 1024  # bytes
MOST_PIXELS = 4_000_000  # looked at before anything is decoded
WIDEST, HIGHEST = 1200, 400  # pixels of what is kept
HUGE = f"A logo may have at most {MOST_PIXELS // 1_000_000} million pixels."
FORMATS = ("PNG", "JPEG", "WEBP")
# What Pillow raises for broken files: the first row was met with 470,000 mutated ones, the second is in its sources.
BROKEN = (
    OSError, ValueError, SyntaxError, TypeError, struct.error,
    EOFError, IndexError, KeyError, OverflowError, ZeroDivisionError, zlib.error,
)  # fmt: skip


class NotALogo(ValueError):
    """A file that cannot be used. The message is a sentence for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    png: bytes
    width: int
    height: int

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.png).hexdigest()


def drawn(data: bytes) -> Drawn:
    """`data` as a PNG without metadata, at most WIDEST × HIGHEST pixels. Raises NotALogo."""
    if not data:
        raise NotALogo("Send the image itself as the body: a PNG, JPEG or WebP file.")
    if len(data) > LARGEST_FILE:
        raise NotALogo(f"A logo may have at most {LARGEST_FILE // 1024} kB.")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            _refuse_huge(image)
            return _redrawn(image)
    except UnidentifiedImageError:
        raise NotALogo("A logo must be a PNG, JPEG or WebP image; SVG and others are not taken.") from None
    except Image.DecompressionBombError:  # Pillow's own limit, which it holds to while it opens the file
        raise NotALogo(HUGE) from None
    except NotALogo:
        raise
    except BROKEN:
        raise NotALogo("The image is broken: it could not be read to its end.") from None


def _refuse_huge(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise NotALogo(HUGE)


def _redrawn(image: Image.Image) -> Drawn:
    upright = ImageOps.exif_transpose(image)
    pixels = upright if upright.mode in ("RGBA", "LA", "P", "PA") else upright.convert("RGB")
    pixels = pixels.convert("RGBA")
    pixels.thumbnail((WIDEST, HIGHEST))
    clean = Image.new("RGBA", pixels.size)  # a fresh image: it has no profile, comment, place or time
    clean.paste(pixels)
    written = BytesIO()
    clean.save(written, "PNG", optimize=True)
    return Drawn(written.getvalue(), clean.width, clean.height)
