"""Layers with a memory stated a second time, sequence by sequence: nothing here comes from deltarule."""

from oracle.plain_network import activation, jnp


def sigmoid(z):
    return activation(jnp, "sigmoid", z)


def step(kind, p, h, c, x_t, sigma):
    """The state after a step; c is the cells of an LSTM."""
    if kind == "Recurrent":
        return activation(jnp, sigma, p["W"] @ x_t + p["V"] @ h + p["b"]), c
    if kind == "GRU":
        (Wr, Wu, Wg), (Vr, Vu, Vg), (br, bu, bg) = (jnp.split(p[name], 3) for name in ("W", "V", "b"))
        r, u = sigmoid(Wr @ x_t + Vr @ h + br), sigmoid(Wu @ x_t + Vu @ h + bu)
        return (1 - u) * jnp.tanh(Wg @ x_t + Vg @ (r * h) + bg) + u * h, c
    i, f, o, g = jnp.split(p["W"] @ x_t + p["V"] @ h + p["b"], 4)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c


def steps(kind, p, x, sigma):
    """h_t of every step of one sequence x (T, features), (T, n)."""
    h = c = jnp.zeros(p["V"].shape[1])
    found = []
    for x_t in x:
        h, c = step(kind, p, h, c, x_t, sigma)
        found.append(h)
    return jnp.stack(found)


def outputs(stack, params, x):
    """a^L of one sequence x (T, features): (T, k), or (k,) after a layer that gives its last step.

    A layer is its kind, its activation, and whether it gives every step.
    """
    a = x
    for (kind, sigma, every), p in zip(stack, params, strict=True):
        if kind == "Dense":
            a = activation(jnp, sigma, a @ p["W"].T + p["b"])
        else:
            a = steps(kind, p, a, sigma)
            a = a if every else a[-1]
    return a
