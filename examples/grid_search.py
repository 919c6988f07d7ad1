"""Search the hidden layers of a network with scikit-learn's GridSearchCV, in a pipeline with two kinds of column."""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import deltarule as dr

random = np.random.default_rng(0)
table = pd.DataFrame(
    {
        "temperature": random.uniform(10, 40, 240),  # °C
        "load": random.uniform(0, 100, 240),  # %
        "oil": random.choice(["A", "B", "C"], 240),
    }
)
friction = 2 + 30 / table.temperature + 0.02 * table.load * (table.oil == "B") + random.normal(0, 0.1, 240)
X, Xt, y, yt = train_test_split(table, friction, random_state=0)

columns = make_column_transformer((OneHotEncoder(), ["oil"]), remainder="passthrough")
model = make_pipeline(columns, dr.NetworkRegressor(random_state=0))
search = GridSearchCV(model, {"networkregressor__hidden": [(), (5,), (10,)]}, cv=3).fit(X, y)

for hidden, score in zip(
    search.cv_results_["param_networkregressor__hidden"], search.cv_results_["mean_test_score"], strict=True
):
    print(f"hidden {hidden!s:6} R² {score:.3f}")
print(f"chosen {search.best_params_['networkregressor__hidden']}, R² on new rows {search.score(Xt, yt):.3f}")
network = search.best_estimator_[-1]
print(f"noise {network.noise_std_.item():.2f} (drawn with 0.10)")
