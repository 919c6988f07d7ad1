"""The page's own files, as they stand in the package, and as one file that needs no server."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

SCRIPTS = ("formula.js", "network.js", "charts.js", "equations.js", "data.js", "controls.js", "play.js")
ASSETS = {"style.css": "text/css", **dict.fromkeys(SCRIPTS, "text/javascript")}


@cache
def asset(name: str) -> str:
    """The text of one of the page's files."""
    return files("deltarule.play").joinpath("assets", name).read_text(encoding="utf-8")


def served(token: str) -> str:
    """The page as the server gives it: its files are fetched with the token."""
    links = [f'<link rel="stylesheet" href="style.css?token={token}">']
    links += [f'<script defer src="{name}?token={token}"></script>' for name in SCRIPTS]
    return asset("page.html").replace("<!-- assets -->", "\n".join(links))


def alone(replay: dict[str, Any]) -> str:
    """The page in one file, with a recording in place of the server: it opens anywhere, and asks for nothing."""
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    # A recording holds names of columns, which may hold anything, also the end of a script.
    recording = json.dumps(replay, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = [
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<style>{asset('style.css')}</style>",
        f'<script type="application/json" id="recording">{recording}</script>',
    ]
    html = asset("page.html").replace("<!-- assets -->", "\n".join(parts))
    scripts = "\n".join(f"<script>{asset(name)}</script>" for name in SCRIPTS)
    return html.replace("</body>", f"{scripts}\n</body>")
