"""The page on which a network is watched and stepped: `deltarule play`, and `Watch` for a training of one's own.

Everything that the page shows is computed here, by the library's own trace and trainers on the NumPy engine. The page
only draws. It is served on the loopback interface alone, see `deltarule.play.server`.
"""

from typing import TYPE_CHECKING

from deltarule.lazy import lazy_names

if TYPE_CHECKING:
    from deltarule.play.server import Server as Server
    from deltarule.play.sources import problem_of as problem_of
    from deltarule.play.watch import Watch as Watch

__all__, __getattr__, __dir__ = lazy_names(__name__)
