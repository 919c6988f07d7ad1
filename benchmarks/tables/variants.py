"""Ours with other arguments: what each part of the default brings (the ablation), and what was tried beside it.

A name here, or `--variant NAME='{"argument": value}'` on the command line, is a contestant. Under "regression" and
"classification" are the arguments of the constructors; a kind that a variant lacks is not run.
"""

from typing import Any

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "one architecture, 20 tanh": {"regression": {"hidden": (20,)}, "classification": {"hidden": (20,)}},
}
