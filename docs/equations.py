"""Write the line numbers into the table of equations of docs/mathematics.md: each row names a file and code in it.

python docs/equations.py
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "mathematics.md"
ROW = re.compile(r"\[(?P<path>src/\S+?)\]\(\.\./(?P=path)#L\d+\) `(?P<code>.+?)` \|$", re.MULTILINE)


def with_lines(page: str) -> str:
    """The page with every row's link at the one line of its file that holds the row's code.

    Raises:
        ValueError: the code is on no line of the file, or on several.
    """

    def link(row: re.Match[str]) -> str:
        path, code = row["path"], row["code"]
        found = [i for i, line in enumerate((ROOT / path).read_text().splitlines(), start=1) if code in line]
        if len(found) != 1:
            raise ValueError(f"{code!r} is on {len(found)} lines of {path}: mend the row of the table")
        return f"[{path}](../{path}#L{found[0]}) `{code}` |"

    return ROW.sub(link, page)


if __name__ == "__main__":
    PAGE.write_text(with_lines(PAGE.read_text()))
