"""The response that the help page of an R data set models: the left side of the first formula of a model."""

import re
from collections.abc import Sequence

MODELS = (
    r"lm|glm|aov|gam|bam|rlm|loess|nls|lme|lmer|glmer|gls|gnls|nlme|rq|lqs|lmrob|glmrob|rpart|tree|ctree|"
    r"randomForest|polr|multinom|glm\.nb|zeroinfl|hurdle|betareg|clm|clmm|svm|lda|qda|plm|pggls|probit|logit|"
    r"ivreg|tobit|feols|felm|nnet|negbin|regsubsets|lm_robust|iv_robust|ols|lrm|geeglm|censReg|crch|vglm|gee|"
    r"earth|train|mlogit|nlreg|sem|lmList|ltsreg|ltsReg|lmsreg|probitVglm|heckit|selection|t\.test|"
    r"oneway\.test|kruskal\.test|matchit|linear_reg"
)
_CALL = re.compile(r"(?<![\w.])(" + MODELS + r")\s*\(\s*(?:formula\s*=\s*)?")
_FORMULA = re.compile(r"(?P<left>[^~;#\n]{1,80}?)~(?P<right>[^,]*)")
_NAME = re.compile(r"[A-Za-z.][\w.]*")


def response(page: str, columns: Sequence[str]) -> str | None:
    """The column that the first model formula explains by others, or None.

    Args:
        page: the help page as Markdown.
        columns: the names of the data set's columns.

    A formula counts if its left side names one column, as it is or within a function such as log, and its right side
    another, or a dot.

    >>> response("### Examples\\n\\n    summary(lm(log(price) ~ carat + cut, data = d))", ["carat", "cut", "price"])
    'price'
    """
    _, _, examples = page.partition("### Examples")
    known = set(columns)
    for call in _CALL.finditer(examples):
        formula = _FORMULA.match(examples, call.end())
        if formula is None:
            continue
        left = [name for name in _NAME.findall(formula["left"]) if name in known]
        right = {name for name in _NAME.findall(formula["right"]) if name in known or name == "."}
        if len(set(left)) == 1 and right - set(left):
            return left[0]
    return None
