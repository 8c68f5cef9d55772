"""Screens as boxes of text for the terminal; wide characters count as two columns."""

from __future__ import annotations

import unicodedata

from clients.events import Phase
from clients.presentation import HelpBlock, Presentation

__all__ = ["display_width", "render_text", "wrap"]

_PHONE_COLUMNS = 46
_TV_COLUMNS = 78
_DIGIT_ROWS = 5
_GAP = "  "
# A line may not begin with these (kinsoku, the common part of the Chinese and Japanese rules).
_NOT_FIRST = frozenset("。、，．：；！？）］｝」』】〉》”’・ー々)]},.:;!?%")
_NOT_LAST = frozenset("（［｛「『【〈《“‘([{")
_MARKS = {
    Phase.TAKE_ACTION: "[!!!]",
    Phase.SHAKING_NOW: "[!!!]",
    Phase.BE_AWARE: "[!]",
    Phase.WEAKER: "[!]",
    Phase.WEAKER_NONE: "[ok]",
    Phase.SHAKING_NOW_LIGHT: "[!]",
    Phase.AFTER: "[+]",
    Phase.CANCELLED: "[ok]",
    Phase.VANISHED: "[?]",
    Phase.IDLE: "[ ]",
}
# Numerals of 5 rows by 4 columns, for a countdown that is read across a room.
_NUMERALS = {
    "0": ("████", "█  █", "█  █", "█  █", "████"),
    "1": ("  █ ", " ██ ", "  █ ", "  █ ", " ███"),
    "2": ("████", "   █", "████", "█   ", "████"),
    "3": ("████", "   █", " ███", "   █", "████"),
    "4": ("█  █", "█  █", "████", "   █", "   █"),
    "5": ("████", "█   ", "████", "   █", "████"),
    "6": ("████", "█   ", "████", "█  █", "████"),
    "7": ("████", "   █", "  █ ", "  █ ", "  █ "),
    "8": ("████", "█  █", "████", "█  █", "████"),
    "9": ("████", "█  █", "████", "   █", "████"),
}


def render_text(presentation: Presentation) -> str:
    """Return the screen as a box of text, lines separated by line feeds, all of one width."""
    if presentation.kind == "tv":
        return _tv(presentation)
    return _phone(presentation)


def display_width(text: str) -> int:
    """Columns a text takes in a terminal: wide and full-width characters count two, marks none."""
    width = 0
    for character in text:
        if unicodedata.combining(character):
            continue
        width += 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
    return width


def wrap(text: str, columns: int, *, indent: str = "") -> list[str]:
    """Break a text into lines of at most ``columns``; later lines begin with ``indent``.

    Breaks at spaces and between wide characters, but no line begins with closing or ends with
    opening punctuation. A word longer than a line is cut.
    """
    lines: list[str] = []
    line, width = "", 0
    for piece in _pieces(text):
        size = display_width(piece)
        if width + display_width(piece.rstrip()) > columns and line.strip():
            lines.append(line.rstrip())
            line, width = indent, display_width(indent)
            piece = piece.lstrip()
            size = display_width(piece)
        while width + display_width(piece.rstrip()) > columns:  # longer than a whole line
            head = _cut(piece, columns - width)
            lines.append(line + head)
            piece = piece[len(head) :]
            line, width, size = indent, display_width(indent), display_width(piece)
        line += piece
        width += size
    if line.strip() or not lines:
        lines.append(line.rstrip())
    return lines


def _pieces(text: str) -> list[str]:
    """Split where a line may end; each piece keeps its trailing space."""
    pieces: list[str] = []
    piece = ""
    for before, character in zip(" " + text, text, strict=False):
        may_break = bool(piece) and (
            (before == " " and character != " ")
            or ((_is_wide(before) or _is_wide(character)) and character != " ")
        )
        if may_break and character not in _NOT_FIRST and before not in _NOT_LAST:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece] if piece else pieces


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def _cut(text: str, columns: int) -> str:
    """Return the longest beginning that fits; at least one character."""
    width = 0
    for index, character in enumerate(text):
        width += display_width(character)
        if width > columns:
            return text[: max(index, 1)]
    return text


class _Box:
    """Lines inside a frame of fixed width."""

    def __init__(self, columns: int) -> None:
        self.inner = columns - 4
        self._rows: list[str] = []
        self._rule("┌", "┐")

    def _rule(self, left: str, right: str) -> None:
        self._rows.append(left + "─" * (self.inner + 2) + right)

    def rule(self) -> None:
        """Draw a line across, unless there is one already."""
        if not self._rows[-1].startswith(("├", "┌")):
            self._rule("├", "┤")

    def line(self, text: str = "") -> None:
        """Add one line that fits."""
        padding = " " * (self.inner - display_width(text))
        self._rows.append(f"│ {text}{padding} │")

    def text(self, text: str, *, indent: str = "") -> None:
        """Add a text, wrapped; nothing where it is empty."""
        if text:
            for line in wrap(text, self.inner, indent=indent):
                self.line(line)

    def finish(self) -> str:
        """Close the frame."""
        if self._rows[-1].startswith("├"):
            self._rows.pop()
        self._rule("└", "┘")
        return "\n".join(self._rows)


def _phone(screen: Presentation) -> str:
    box = _Box(_PHONE_COLUMNS)
    box.text(screen.simulation_mark)
    box.rule()
    box.text(f"{_MARKS[screen.phase]} {screen.headline}", indent=_indent(screen))
    box.text(screen.detail)
    if screen.help_first:
        box.rule()
        _help(box, screen.help)
        box.rule()
    facts = [text for text in (screen.intensity_here, screen.arrival, screen.place) if text]
    if facts and not screen.help_first:
        box.line()
    for text in facts:
        box.text(text)
    if not screen.help_first:
        box.rule()
        _help(box, screen.help)
    box.rule()
    for note in screen.notes:
        box.text(note)
    box.text(_cue(screen))
    return box.finish()


def _tv(screen: Presentation) -> str:
    box = _Box(_TV_COLUMNS)
    box.text(f"{screen.simulation_mark}{_GAP}|{_GAP}{screen.title}")
    box.rule()
    facts = [screen.intensity_here, screen.arrival, screen.place]
    headline = f"{_MARKS[screen.phase]} {screen.headline}"
    if screen.layout == "strip":
        box.text(headline, indent=_indent(screen))
        box.text(_GAP.join(fact for fact in facts[:2] if fact))
        return box.finish()
    numeral = _numeral(screen.seconds)
    room = box.inner - (len(numeral[0]) + len(_GAP) if numeral else 0)
    left = wrap(headline, room, indent=_indent(screen))
    for text in (screen.detail, *([] if screen.help_first else facts)):
        left += wrap(text, room) if text else []
    left += [""] * (_DIGIT_ROWS - len(left) if numeral else 0)
    for index, line in enumerate(left):
        right = numeral[index] if index < len(numeral) else ""
        gap = " " * (room - display_width(line)) + _GAP if right else ""
        box.line(line + gap + right)
    box.rule()
    _help(box, screen.help)
    box.rule()
    if screen.help_first:
        for fact in facts:
            box.text(fact)
    for note in screen.notes:
        box.text(note)
    box.text(_cue(screen))
    return box.finish()


def _help(box: _Box, block: HelpBlock) -> None:
    box.text(block.shelter_line)
    way = block.shelter_way + (f" [{block.generated}]" if block.generated else "")
    box.text(way if block.shelter_way else block.no_shelter)
    box.text(block.shelter_address)
    numbers = [text for text in (block.emergency, block.medical) if text]
    box.text(_GAP.join(numbers))
    box.text(block.information)
    if block.rescue:
        box.text(block.rescue_title)
        for line in block.rescue:
            box.text(f"- {line}", indent="  ")


def _indent(screen: Presentation) -> str:
    return " " * (len(_MARKS[screen.phase]) + 1)


def _cue(screen: Presentation) -> str:
    return screen.caption if screen.sound or screen.haptics_ms else ""


def _numeral(seconds: int | None) -> list[str]:
    """Return the rows of a large number; empty where no number is shown."""
    if seconds is None:
        return []
    digits = [_NUMERALS[digit] for digit in str(seconds)]
    return [" ".join(digit[row] for digit in digits) for row in range(_DIGIT_ROWS)]
