"""A logo is taken as PNG, JPEG or WebP, and kept as a PNG of our own that says nothing about where it came from."""

from __future__ import annotations

import random
import struct
import time
import zlib
from io import BytesIO

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from portal.models.account import Account, Logo
from portal.models.record import Record
from tests.api.conftest import Call


def image(form: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB", **more: object) -> bytes:
    written = BytesIO()
    Image.new(mode, size).save(written, form, **more)
    return written.getvalue()


def put(call: Call, data: bytes, content_type: str = "image/png") -> tuple[int, str]:
    answer = call("PUT", "/account/logo", data=data, content_type=content_type)
    assert answer.status_code < 500
    return answer.status_code, str(answer.json.get("detail", ""))


def kept(acme: Account) -> Image.Image:
    return Image.open(BytesIO(bytes(Logo.get(Logo.account == acme).png)))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_three_kinds_of_image_become_a_png(call: Call, acme: Account, form: str) -> None:
    answer = call("PUT", "/account/logo", data=image(form), content_type="application/octet-stream")

    assert answer.status_code == 200
    logo = Logo.get(Logo.account == acme)
    assert answer.json["logo"] == {
        "width": 40,
        "height": 20,
        "digest": logo.digest,
        "created_at": "2026-11-23T12:00:00+00:00",
    }
    assert answer.json == call("GET", "/account").json
    assert (kept(acme).format, kept(acme).size) == ("PNG", (40, 20))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_a_png_is_drawn(call: Call, acme: Account, mode: str) -> None:
    assert put(call, image(mode=mode))[0] == 200
    assert kept(acme).mode in ("RGBA", "RGB")


def test_print_colours_are_drawn_too(call: Call) -> None:
    assert put(call, image("JPEG", mode="CMYK"))[0] == 200


def test_nothing_of_the_file_but_its_pixels_is_kept(call: Call, acme: Account) -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Author", "somebody@home.example")
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "somebody@home.example"
    exif[ExifTags.Base.Orientation] = 6  # lies on its side

    assert put(call, image(pnginfo=about, exif=exif, icc_profile=b"somebody@home.example"))[0] == 200

    png = bytes(Logo.get(Logo.account == acme).png)
    assert b"somebody" not in png
    assert kept(acme).info == {}
    assert kept(acme).size == (20, 40)
    assert put(call, image() + b"<script>somebody</script>")[0] == 200
    assert b"somebody" not in bytes(Logo.get(Logo.account == acme).png)


def test_large_images_are_made_smaller(call: Call, acme: Account) -> None:
    assert put(call, image(size=(4000, 1000)))[0] == 200
    assert kept(acme).size == (1200, 300)
    assert put(call, image(size=(500, 2000)))[0] == 200
    assert kept(acme).size == (100, 400)


def test_a_form_may_carry_it(call: Call) -> None:
    form = {"logo": (BytesIO(image()), "logo.png")}

    assert call("PUT", "/account/logo", data=form, content_type="multipart/form-data").status_code == 200
    two = {"a": (BytesIO(image()), "a.png"), "b": (BytesIO(image()), "b.png")}
    assert call("PUT", "/account/logo", data=two, content_type="multipart/form-data").status_code == 400


@pytest.mark.parametrize(
    "data",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<?xml version='1.0'?><svg/>",
        b"GIF89a" + bytes(50),
        b"BM" + bytes(80),
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"not an image",
        b"\x00" * 100,
        b"\x89PNG\r\n\x1a\n",
        image("GIF"),
        image("BMP"),
        image("TIFF"),
        image("ICO"),
    ],
)  # fmt: skip
def test_everything_else_is_refused(call: Call, acme: Account, data: bytes) -> None:
    assert put(call, data) == (400, "A logo must be a PNG, JPEG or WebP image; SVG and others are not taken.")
    assert Logo.get_or_none(Logo.account == acme) is None


def test_an_empty_body_is_refused(call: Call) -> None:
    assert put(call, b"")[0] == 400


def test_a_large_file_is_refused(call: Call) -> None:
    padded = image() + bytes(512 * 1024)

    assert put(call, padded) == (400, "A logo may have at most 512 kB.")
    assert put(call, padded[: 512 * 1024])[0] == 200
    assert put(call, bytes(2_000_000))[0] == 413


def test_a_small_file_of_many_pixels_is_refused_before_it_is_drawn(call: Call) -> None:
    began = time.perf_counter()

    for width, height in ((2001, 2000), (30_000, 30_000), (2**31 - 1, 2**31 - 1)):
        assert put(call, _header(width, height)) == (400, "A logo may have at most 4 million pixels.")

    assert time.perf_counter() - began < 1


def test_text_that_unpacks_for_ever_is_refused(call: Call) -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    chunk = b"zTXt" + b"k\x00\x00" + bomb
    packed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    png = image()

    assert put(call, png[:33] + packed + png[33:])[0] == 400


def test_broken_files_are_refused_and_never_break_the_house(call: Call) -> None:
    chance = random.Random(7)
    whole = [image(form, (30, 30), "RGB") for form in ("PNG", "JPEG", "WEBP")]
    seen = set()

    for n in range(300):
        data = bytearray(whole[n % 3])
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        seen.add(put(call, bytes(data[: chance.randint(1, len(data))]))[0])

    assert seen <= {200, 400}
    assert 400 in seen


def test_another_logo_takes_the_place_of_the_first_until_it_is_removed(call: Call, acme: Account) -> None:
    put(call, image(size=(10, 10)))
    put(call, image(size=(20, 10)))
    assert call("GET", "/account").json["logo"]["width"] == 20

    for _ in range(2):
        assert call("DELETE", "/account/logo").json["logo"] is None

    deeds = [record.deed for record in Record.select().where(Record.account_id == acme.id).order_by(Record.deed)]
    assert deeds.count("account.logo_changed") == 2
    assert deeds.count("account.logo_removed") == 1


def test_a_logo_is_the_accounts_own(call: Call, bolt_key: str) -> None:
    put(call, image())

    assert call("GET", "/account", key=bolt_key).json["logo"] is None
    assert call("DELETE", "/account/logo", key=bolt_key).status_code == 200
    assert call("GET", "/account").json["logo"]
    assert call("PUT", "/account/logo", data=image(), key=None).status_code == 401


def _header(width: int, height: int) -> bytes:
    """The beginning of a PNG that says it is so large."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    data = b"IDAT" + zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
