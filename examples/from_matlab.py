"""What fitnet, trainbr and trainlm are called here, line by line.

net = fitnet(10, 'trainbr');          model = dr.NetworkRegressor(hidden=(10,), regularization="bayesian")
[net, tr] = train(net, x, t);         model.fit(x, t)          rows are examples here: x is the transpose
y = net(x);                           y = model.predict(x)
perf = perform(net, t, y)             np.mean((t - y) ** 2)
tr.stop, tr.gamk                      model.stop_reason_, model.history_["gamma"]
genFunction(net, 'f')                 dr.export_model(model, "f.m")
"""

import numpy as np

import deltarule as dr

random = np.random.default_rng(0)
x = np.linspace(-1, 1, 120)[:, None]  # MATLAB's x is 1 x 120
t = np.sin(2 * np.pi * x[:, 0]) + 0.1 * random.normal(size=120)

# fitnet(10, 'trainbr'): inputs and targets are scaled inside, as mapminmax does; no rows are held out.
model = dr.NetworkRegressor(hidden=(10,), regularization="bayesian", random_state=1).fit(x, t)
gamma = model.history_["gamma"][model.best_iter_]
print(f"trainbr: mse {np.mean((t - model.predict(x)) ** 2):.4f}, {gamma:.1f} effective parameters,")
print(f"         stopped with {model.stop_reason_!r}; the noise is {model.noise_std_.item():.2f}, drawn with 0.10")

# fitnet(10, 'trainlm') with dividerand: 15 % of the rows stop the training after 6 worse epochs.
model = dr.NetworkRegressor(hidden=(10,), trainer="lm", regularization="early-stopping", random_state=0).fit(x, t)
print(f"trainlm: mse {np.mean((t - model.predict(x)) ** 2):.4f}, stopped with {model.stop_reason_!r}")

# The network alone, without scaling: what train(net, x, t) does inside.
net = dr.Network([dr.Dense(10, "tanh"), dr.Dense(1, "linear")])
result = dr.train(net, x, t, trainer=dr.LevenbergMarquardt(), epochs=100, stopping=dr.Stopping(goal=1e-3), seed=0)
print(f"train:   {result.message}")

print("written:", dr.export_model(model, "f.m"))  # genFunction(net, 'f')
