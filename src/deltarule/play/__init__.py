"""A page to watch a network learn, step by step: `deltarule play`, and `Watch` for the user's own training.

Every number on the page is computed here, by the library's trace and trainers on the NumPy engine; the page only draws.
It is served on the loopback interface only, see `deltarule.play.server`.
"""

from typing import TYPE_CHECKING

from deltarule.lazy import lazy_names

if TYPE_CHECKING:
    from deltarule.play.server import Server as Server
    from deltarule.play.sources import load_problem as load_problem
    from deltarule.play.watch import Watch as Watch

__all__, __getattr__, __dir__ = lazy_names(__name__)
