"""The contestants, one line each. To add one, add its line to ``registry``."""

from benchmarks.lm.contestants.adam import Adam
from benchmarks.lm.contestants.contract import Contestant
from benchmarks.lm.contestants.deltarule_lm import DeltaruleLM
from benchmarks.lm.contestants.optimistix_lm import Optimistix
from benchmarks.lm.contestants.pyrenn_lm import Pyrenn
from benchmarks.lm.contestants.scipy_lm import ScipyLeastSquares
from benchmarks.lm.contestants.sklearn_lbfgs import SklearnLBFGS
from benchmarks.lm.contestants.torch_lbfgs import TorchLBFGS
from benchmarks.lm.contestants.torch_lm import TorchLevenbergMarquardt


def registry() -> dict[str, Contestant]:
    """Every contestant under its name, in the order of the report; nothing is imported from a peer yet."""
    contestants: list[Contestant] = [
        DeltaruleLM(),
        Optimistix("optimistix-qr", "qr"),
        Optimistix("optimistix-cholesky", "cholesky"),
        ScipyLeastSquares("scipy-lm", "lm"),
        ScipyLeastSquares("scipy-trf", "trf"),
        TorchLevenbergMarquardt("torch-lm-qr", "qr"),
        TorchLevenbergMarquardt("torch-lm-cholesky", "cholesky"),
        Pyrenn("pyrenn"),
        TorchLBFGS("torch-lbfgs"),
        Adam("adam"),
        SklearnLBFGS("sklearn-lbfgs"),
    ]
    return {contestant.name: contestant for contestant in contestants}
