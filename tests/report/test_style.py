"""The style sheet: readable in light and dark, and on paper."""

import re
from importlib.resources import files

import pytest

STYLE = (files("cotdata.report") / "templates" / "style.css").read_text("utf-8")


def palettes() -> list[dict[str, str]]:
    blocks = re.findall(r":root \{([^}]*--ink[^}]*)\}", STYLE)
    return [dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


def luminance(colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
              for part in parts]  # fmt: skip
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_knows_the_contrast_of_black_and_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_has_a_light_and_a_dark_palette() -> None:
    assert len(palettes()) == 2
    assert palettes()[0].keys() == palettes()[1].keys()


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["--ink", "--soft", "--accent"])
@pytest.mark.parametrize("paper", ["--paper", "--card"])
def test_text_stands_out(palette: dict[str, str], ink: str, paper: str) -> None:
    assert contrast(palette[ink], palette[paper]) >= 4.5


def test_opens_details_on_paper() -> None:
    paper = STYLE.split("@media print")[1]
    assert "details::details-content { content-visibility: visible" in paper


def test_asks_for_no_font_or_picture() -> None:
    assert "@font-face" not in STYLE
    assert "@import" not in STYLE
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)", STYLE))
