"""The page, as the server sends it, and as one HTML file that needs no server."""

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


def served_page(token: str) -> str:
    """The page for a browser, which fetches its files from the server with the token."""
    links = [f'<link rel="stylesheet" href="style.css?token={token}">']
    links += [f'<script defer src="{name}?token={token}"></script>' for name in SCRIPTS]
    return asset("page.html").replace("<!-- assets -->", "\n".join(links))


def standalone_page(replay: dict[str, Any]) -> str:
    """The page in one HTML file, with a recording instead of a server; it requests nothing."""
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    # Names of columns in a recording may contain anything, such as the end of a script.
    recording = json.dumps(replay, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = [
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<style>{asset('style.css')}</style>",
        f'<script type="application/json" id="recording">{recording}</script>',
    ]
    html = asset("page.html").replace("<!-- assets -->", "\n".join(parts))
    scripts = "\n".join(f"<script>{asset(name)}</script>" for name in SCRIPTS)
    return html.replace("</body>", f"{scripts}\n</body>")
