"""On which line of a TOML file each key stands.

:mod:`tomllib` gives values without lines. This scanner walks through a file that :mod:`tomllib` has
already read without an error, so it need not check anything, and notes the line of every key, every
table and every element of an array, also inside inline tables.
"""

from __future__ import annotations

import tomllib

__all__ = ["line_of", "toml_lines"]

_BLANK = " \t"
_SPACE = " \t\r\n"
_BARE_END = " \t\r\n=.]#,}"


def toml_lines(text: str) -> dict[str, int]:
    """Return the line (from 1) of each key path, for example ``site[0].lat`` or ``event.depth_km``.

    Parameters
    ----------
    text : str
        A TOML document that can be parsed.
    """
    return _Scanner(text.replace("\r\n", "\n")).document()


def line_of(lines: dict[str, int], path: str) -> int | None:
    """Return the line of a path, or of the innermost table around it that the file has."""
    while path:
        if path in lines:
            return lines[path]
        cut = max(path.rfind("."), path.rfind("["))
        path = path[: max(cut, 0)]
    return None


class _Scanner:
    """One pass through the text; ``at`` is the place of the next letter."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.line = text, 0, 1
        self.lines: dict[str, int] = {}
        self.elements: dict[str, int] = {}  # of arrays of tables, by path

    def document(self) -> dict[str, int]:
        prefix = ""
        while self._skip(_SPACE):
            if self.text.startswith("[[", self.at):
                prefix = self._header(2)
            elif self.text[self.at] == "[":
                prefix = self._header(1)
            else:
                self._pair(prefix)
        return self.lines

    # ------------------------------------------------------------ parts of a document
    def _header(self, brackets: int) -> str:
        self.at += brackets
        line, keys = self.line, self._keys()
        self.at = self.text.index("]" * brackets, self.at) + brackets
        path = ""
        for key in keys[:-1]:
            path = self._now(self._join(path, key))
            self.lines.setdefault(path, line)
        path = self._join(path, keys[-1])
        if brackets == 2:
            self.elements[path] = self.elements.get(path, -1) + 1
            self.lines.setdefault(path, line)
            path = self._now(path)
            # what stands under the last element is not under this one
            for inner in [one for one in self.elements if one.startswith(f"{path}.")]:
                del self.elements[inner]
        self.lines[path] = line
        return path

    def _pair(self, prefix: str) -> None:
        line, path = self.line, prefix
        for key in self._keys():
            path = self._join(path, key)
            self.lines.setdefault(path, line)
        self._skip(_BLANK)
        self.at += 1  # =
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: str) -> None:
        first = self.text[self.at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _array(self, path: str) -> None:
        self.at += 1
        number = 0
        while self._skip(_SPACE + ",") and self.text[self.at] != "]":
            element = f"{path}[{number}]"
            self.lines[element] = self.line
            self._value(element)
            number += 1
        self.at += 1

    def _inline_table(self, path: str) -> None:
        self.at += 1
        while self._skip(_SPACE + ",") and self.text[self.at] != "}":
            self._pair(path)
        self.at += 1

    # ------------------------------------------------------------ letters
    def _keys(self) -> list[str]:
        """Read a dotted key."""
        keys = []
        while True:
            self._skip(_BLANK)
            begin = self.at
            if self.text[begin] in "\"'":
                self._string()
                keys.append(str(tomllib.loads(f"k = {self.text[begin : self.at]}")["k"]))
            else:
                while self.text[self.at] not in _BARE_END:
                    self.at += 1
                keys.append(self.text[begin : self.at])
            self._skip(_BLANK)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        if self.text.startswith(3 * quote, self.at):
            self._move(3)
            while not self.text.startswith(3 * quote, self.at):
                self._move(2 if quote == '"' and self.text[self.at] == "\\" else 1)
            self._move(3)
            while self.text.startswith(quote, self.at):  # up to two quotes before the end
                self._move(1)
            return
        self._move(1)
        while self.text[self.at] != quote:
            self._move(2 if quote == '"' and self.text[self.at] == "\\" else 1)
        self._move(1)

    def _skip(self, letters: str) -> bool:
        """Skip these letters, and comments where line ends are among them; False at the end."""
        while self.at < len(self.text):
            if self.text[self.at] in letters:
                self._move(1)
            elif self.text[self.at] == "#" and "\n" in letters:
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return True
        return False

    def _move(self, letters: int) -> None:
        self.line += self.text.count("\n", self.at, self.at + letters)
        self.at += letters

    # ------------------------------------------------------------ paths
    def _now(self, path: str) -> str:
        """Return the path of the last element, for an array of tables."""
        return f"{path}[{self.elements[path]}]" if path in self.elements else path

    @staticmethod
    def _join(path: str, key: str) -> str:
        return f"{path}.{key}" if path else key
