"""Pictures of the pages in `docs/dashboards`, drawn by a running Grafana or, where there is none, by the preview.

`FENHE_GRAFANA_TOKEN=… python -m tests.support.page_pictures http://127.0.0.1:3000 [SLUG …]`, with a Grafana to which
the dashboards are published (a Viewer's token does); or `python -m tests.support.page_pictures .cache/screenshots
[SLUG …]`, with what the browser test left there. Each picture says in itself which panels it shows, so that a test can
tell one of an older page.
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from playwright.sync_api import sync_playwright

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from schemas.words import Language
from tests.fixtures.browser import CHROMIUM, FLAGS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from playwright.sync_api import Browser

FOLDER = Path(__file__).parents[2] / "docs" / "dashboards"
WIDTH_PX, ROW_PX, AROUND_PX = 1440, 38, 130
PIXELS = """async picture => {
    const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + picture)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const bytes = context.getImageData(0, 0, image.width, image.height).data, parts = [];
    for (let at = 0; at < bytes.length; at += 32768) parts.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
    return [image.width, image.height, btoa(parts.join(''))];
}"""
"""Pixels of a picture, as the browser reads it: width, height, and red, green, blue and opacity of each."""
PALETTE = 256
KEYWORD = b"fenhe panels"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def panels_digest(dashboard: dict[str, Any]) -> str:
    """A digest of the titles of a page's panels in their order."""
    titles = "\n".join(panel["title"] for panel in dashboard["panels"])
    return hashlib.sha256(titles.encode()).hexdigest()


def panels_shown(picture: bytes) -> str | None:
    """The digest that a picture bears; None where it bears none."""
    at = len(_SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        kind, held = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        if kind == b"tEXt" and held.startswith(KEYWORD + b"\0"):
            return held[len(KEYWORD) + 1 :].decode()
        at += 12 + length
    return None


def with_panels(picture: bytes, panels: str) -> bytes:
    """The picture with that digest in a text of its own, behind its header."""
    end = len(_SIGNATURE) + 25  # the header is always as long
    return picture[:end] + _chunk(b"tEXt", KEYWORD + b"\0" + panels.encode()) + picture[end:]


def _chunk(kind: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))


def in_few_colours(pixels: NDArray[np.uint8]) -> bytes:
    """Write red, green and blue (rows × columns × 3) as a PNG of 256 colours at most, a third as large as it was.

    Colours are rounded as far as needed.
    """
    steps = iter((1, 4, 8, 16, 24, 32, 48, 64))
    colours, places = _rounded(pixels, next(steps))
    while len(colours) > PALETTE:
        colours, places = _rounded(pixels, next(steps))
    height, width, _ = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = places.reshape(height, width)
    palette = b"".join(int(colour).to_bytes(3, "big") for colour in colours)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, held) for kind, held in parts)


def _rounded(pixels: NDArray[np.uint8], step: int) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """The colours there are when each is rounded to whole steps, and which of them each pixel has."""
    rounded = np.minimum(255, (pixels.astype(np.uint32) + step // 2) // step * step)
    found, places = np.unique(rounded[..., 0] << 16 | rounded[..., 1] << 8 | rounded[..., 2], return_inverse=True)
    return found, places


def draw(browser: Browser, grafana: str, slug: str, dashboard: dict[str, Any]) -> bytes:
    """One page as Grafana draws it, without its menus."""
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    page = browser.new_page(
        viewport={"width": WIDTH_PX, "height": rows * ROW_PX + AROUND_PX},
        extra_http_headers={"Authorization": f"Bearer {os.environ['FENHE_GRAFANA_TOKEN']}"},
        locale="en-US",
    )
    page.goto(f"{grafana}/d/fenhe-{slug}-en?kiosk&refresh=&theme=light", timeout=120_000)
    page.wait_for_selector("[data-testid^='data-testid Panel header']", timeout=90_000)
    drawn = "() => document.querySelectorAll('[data-testid^=\"data-testid Panel header\"]').length"
    page.wait_for_function(f"({drawn})() >= {len(dashboard['panels'])}", timeout=90_000)
    page.wait_for_function("() => !document.querySelector('[aria-label=\"Panel loading bar\"]')", timeout=90_000)
    page.wait_for_timeout(1500)  # charts are drawn after their data are there, which no element says
    taken = page.screenshot()
    page.close()
    return taken


def smaller(browser: Browser, picture: bytes) -> bytes:
    """The same picture in few colours: it has none that anybody would miss."""
    page = browser.new_page()
    width, height, read = page.evaluate(PIXELS, base64.b64encode(picture).decode())
    page.close()
    pixels = np.frombuffer(base64.b64decode(read), np.uint8).reshape(height, width, 4)
    return in_few_colours(pixels[..., :3])


def main(source: str, slugs: list[str]) -> None:
    """Draw the pages named, or all."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for definition in DEFINITIONS:
            if slugs and definition.slug not in slugs:
                continue
            dashboard = dashboard_json(definition, Language.EN)
            if source.startswith("http"):
                taken = draw(browser, source.rstrip("/"), definition.slug, dashboard)
            else:
                taken = (Path(source) / f"{definition.slug}.en.1920.png").read_bytes()
            path = FOLDER / f"{definition.slug}.png"
            path.write_bytes(with_panels(smaller(browser, taken), panels_digest(dashboard)))
            print(path, path.stat().st_size)  # noqa: T201 - it is a command
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
