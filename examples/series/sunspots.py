"""Train on the yearly sunspot numbers from 1700 to 1920, and continue them with error bars.

The numbers come with statsmodels (`pip install 'deltarule[series]'`). `deltarule reproduce sunspots` compares the
result with a paper's.
"""

import statsmodels.api as sm

import deltarule as dr

data = sm.datasets.sunspots.load_pandas().data
years, x = data["YEAR"].to_numpy(), data["SUNACTIVITY"].to_numpy()
model = dr.NARXRegressor(output_lags=12, hidden=(8,), training="open-loop", random_state=0).fit(None, x[years <= 1920])

ahead, std = model.forecast(10, return_std=True)
for year, value, spread in zip(range(1921, 1931), ahead, std, strict=True):
    print(f"{year}: {value:5.1f} ± {1.96 * spread:.1f}, counted {x[years == year][0]:.1f}")
