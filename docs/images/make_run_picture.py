"""Makes run.png, the picture of the README, from a replay as it is printed today.

python docs/images/make_run_picture.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

COMMAND = ("replay", "luding-2022", "--broker", "embedded", "--lang", "en")
PAPER, INK, DIM = "#11161d", "#dfe4ea", "#aab2bd"
SIZE, LINE, MARGIN = 15, 17, 24
MAP_WIDTH = 760


def printed(out: Path) -> list[str]:
    """Run the command; return its lines."""
    program = [sys.executable, "-c", "import sys; from eew.cli import main; sys.exit(main())"]
    done = subprocess.run(
        [*program, *COMMAND, "--out", str(out)], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def parts(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return the left column, which ends with the television, and the phone."""
    columns: dict[str, list[str]] = {"": [], "phone": [], "TV": []}
    inside = ""
    for line in lines:
        inside = inside or next((kind for kind in ("phone", "TV") if line.startswith(kind)), "")
        if not line.startswith("run saved") and (line or columns[inside][-1:] != [""]):
            columns[inside].append(line)
        if line.startswith("└"):
            inside = ""
    return [*columns[""], "", *columns["TV"]], columns["phone"]


def main() -> None:
    """Draw."""
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans Mono"), SIZE)
    with tempfile.TemporaryDirectory() as scratch:
        left, phone = parts(printed(Path(scratch) / "run"))
        chart = Image.open(Path(scratch) / "run" / "map.png").convert("RGB")
    left = ["$ eew " + " ".join(COMMAND), "", *left]
    chart = chart.resize((MAP_WIDTH, round(chart.height * MAP_WIDTH / chart.width)))
    middle = 2 * MARGIN + round(max(font.getlength(line) for line in left))
    height = 2 * MARGIN + max(LINE * len(left), chart.height + LINE * (len(phone) + 1))
    picture = Image.new("RGB", (middle + MAP_WIDTH + MARGIN, height), PAPER)
    draw = ImageDraw.Draw(picture)
    picture.paste(chart, (middle, MARGIN))
    columns = ((MARGIN, MARGIN, left), (middle, MARGIN + chart.height + LINE, phone))
    for x, top, lines in columns:
        for number, line in enumerate(lines):
            ink = DIM if line.startswith("$") else INK
            draw.text((x, top + LINE * number), line, font=font, fill=ink)
    picture.quantize(128).save(Path(__file__).with_name("run.png"), optimize=True)


if __name__ == "__main__":
    main()
