"""Ours with other arguments: what each part of the default brings (the ablation), and what was tried beside it.

A name here, or `--variant NAME='{"argument": value}'` on the command line, is a contestant. Under "regression" and
"classification" are the arguments of the constructors; a kind that a variant lacks is not run.
"""

from dataclasses import replace
from typing import Any

from deltarule.models.candidates import EFFORTS, Candidate

DEFAULT = EFFORTS["default"]


def _without(wanted: Any) -> tuple[Candidate, ...]:
    """Return the default's candidates, except for some."""
    return tuple(candidate for candidate in DEFAULT.order if not wanted(candidate))


def _classes_without(wanted: Any) -> dict[str, Any]:
    """Return a classifier's default candidates, except for some."""
    return {"effort": replace(DEFAULT, order_for_classes=tuple(c for c in DEFAULT.order_for_classes if not wanted(c)))}


VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "effort quick: two starts of 20": {"regression": {"effort": "quick"}},
    "effort thorough": {"regression": {"effort": "thorough"}},
    "without steps": {"regression": {"effort": replace(DEFAULT, order=_without(lambda c: c.steps))}},
    "without fine steps": {"regression": {"effort": replace(DEFAULT, order=_without(lambda c: c.steps == "fine"))}},
    "without two layers": {"regression": {"effort": replace(DEFAULT, order=_without(lambda c: len(c.hidden) > 1))}},
    "without a linear model": {"regression": {"effort": replace(DEFAULT, order=_without(lambda c: not c.hidden))}},
    "noise of one size": {"regression": {"effort": replace(DEFAULT, varying_noise=False)}},
    "without the logarithm": {"regression": {"effort": replace(DEFAULT, tries_logarithm=False)}},
    "one architecture, 20 tanh": {"regression": {"hidden": (20,)}, "classification": {"hidden": (20,)}},
    "classes without steps": {"classification": _classes_without(lambda c: c.steps)},
    "classes without several layers": {"classification": _classes_without(lambda c: len(c.hidden) > 1)},
    "classes without linear models": {"classification": _classes_without(lambda c: not c.hidden)},
    "classes by one start of 20": {"classification": {"hidden": (20,), "restarts": 1}},
    "classes by a linear model alone": {"classification": {"hidden": (), "restarts": 1}},
    "classes by stopping early": {"classification": {"regularization": "early-stopping"}},
}
