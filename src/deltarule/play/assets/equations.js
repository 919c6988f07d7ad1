"use strict";
// The equations of one example in turn, each with its numbers from the trace. Nothing is computed here.
(() => {
  const MOST_TERMS = 8, MOST_LINES = 24;

  // Every equation of a frame in the order of the algorithm; `stage` is what the drawing shows at that equation.
  DR.steps = (layout, frame) => {
    const L = layout.layers.length + 1, steps = [];
    const add = (id, name, stage) => steps.push({ id, name, stage: { a: L, delta: 99, ...stage } });
    if (frame.update) add({ what: "update" }, "update", { a: L, edges: null, update: true });
    add({ what: "x" }, "(1) x", { a: 1, neurons: 1 });
    for (let l = 2; l <= L; l++) {
      add({ what: "z", l }, `(2) z${l}`, { a: l - 1, edges: l });
      add({ what: "a", l }, `(3) a${l}`, { a: l, neurons: l });
    }
    add({ what: "cost" }, "C", {});
    for (let l = L; l >= 2; l--) add({ what: "delta", l }, `(${l === L ? "BP1" : "BP2"}) δ${l}`, { delta: l, neurons: l, edges: l < L ? l + 1 : null });
    for (let l = 2; l <= L; l++) {
      if (!has(layout, frame, l)) continue;
      add({ what: "db", l }, `(BP3) b${l}`, { delta: 2, neurons: l });
      add({ what: "dW", l }, `(BP4) W${l}`, { delta: 2, edges: l });
    }
    return steps;
  };

  const has = (layout, frame, l) => Boolean(frame.trace.layers[l - 2].dW);
  const parts = (layout, l) => layout.layers[l - 2];
  const index = (layout, l) => (l === 1 ? layout.inputs.shown : parts(layout, l).shown);
  const size = (layout, l) => (l === 1 ? layout.inputs.n : parts(layout, l).n);
  const below = (frame, l) => (l === 2 ? frame.trace.x : frame.trace.layers[l - 3].a);

  // w·a + w·a + ..., the sum over the drawn neurons of layer m.
  const terms = (layout, m, pairs) => {
    const sum = [], cut = pairs.length > MOST_TERMS;
    pairs.slice(0, MOST_TERMS).forEach(([w, a], i) => sum.push(i ? " + " : "", bracket(w), "·", bracket(a)));
    if (cut || size(layout, m) > pairs.length) sum.push(` + … (${size(layout, m)} terms)`);
    return sum;
  };
  const bracket = (value) => (value < 0 ? ["(", value, ")"] : value);
  const result = (value) => DR.number(value, "result");

  DR.lineOf = (layout, frame, what, l, row, col) => {
    const L = layout.layers.length + 1, layer = frame.trace.layers[l - 2], j = index(layout, l)[row];
    if (what === "z") {
      if (!layer.W) return DR.line(`z^${l}_${j} = `, result(layer.z[row]));
      const pairs = layer.W[row].map((w, k) => [w, below(frame, l)[k]]);
      return DR.line(`z^${l}_${j} = `, terms(layout, l - 1, pairs), " + ", bracket(layer.b[row]), " = ", result(layer.z[row]));
    }
    if (what === "a") return DR.line(`a^${l}_${j} = sigma(`, layer.z[row], ") = ", result(layer.a[row]));
    if (what === "slope") return DR.line(`sigma'(z^${l}_${j}) = `, result(layer.slope[row]));
    if (what === "delta" && l === L) {
      const { formula } = DR.parts(parts(layout, l).equations.delta);
      if (/sigma' cancels/.test(parts(layout, l).equations.delta))
        return DR.line(`delta^${l}_${j} = a^${l}_${j} - y_${j} = `, layer.a[row], " - ", bracket(frame.trace.y[j]), " = ", result(layer.delta[row]));
      if (/\^T/.test(formula)) return DR.line(`delta^${l}_${j} = `, result(layer.delta[row]));
      return DR.line(`delta^${l}_${j} = dC/da^${l}_${j} · sigma'(z^${l}_${j}) = `, bracket(layer.dC_da[row]), "·", bracket(layer.slope[row]), " = ", result(layer.delta[row]));
    }
    if (what === "delta") {
      const above = frame.trace.layers[l - 1];
      const sum = above.W ? ["(", terms(layout, l + 1, above.W.map((line, i) => [line[row], above.delta[i]])), ")"] : bracket(layer.dC_da[row]);
      return DR.line(`delta^${l}_${j} = `, sum, " · ", bracket(layer.slope[row]), above.W ? [" = ", bracket(layer.dC_da[row]), " · ", bracket(layer.slope[row])] : "", " = ", result(layer.delta[row]));
    }
    if (what === "db") return DR.line(`dC/db^${l}_${j} = delta^${l}_${j} = `, result(layer.db[row]));
    const k = index(layout, l - 1)[col];
    return DR.line(`dC/dw^${l}_{${j},${k}} = a^${l - 1}_${k} delta^${l}_${j} = `, bracket(below(frame, l)[col]), "·", bracket(layer.delta[row]), " = ", result(layer.dW[row][col]));
  };

  // The content of the equation panel at a step.
  DR.equation = (layout, frame, step) => {
    const { what, l } = step.id, box = document.createDocumentFragment();
    const head = (text) => {
      const { formula, tag } = DR.parts(text.replace(" (BP1; sigma' cancels)", "   (BP1)").replace(/ +\(BP1; sigma' cancels\)/, "   (BP1)"));
      box.append(DR.make("p", { class: "formula" }, tag ? DR.make("span", { class: "tag" }, `(${tag})`) : null, DR.typeset(formula)));
    };
    const rows = (name, count) => {
      for (let row = 0; row < Math.min(count, MOST_LINES); row++) box.append(DR.lineOf(layout, frame, name, l, row));
    };
    if (what === "update") return update(layout, frame, box, head);
    if (what === "x") {
      head("a^1 = x   (1)");
      frame.trace.x.forEach((x, row) => box.append(DR.line(`a^1_${index(layout, 1)[row]} = `, result(x))));
    } else if (what === "cost") {
      head(`C_x = ${COSTS[layout.cost] || layout.cost}`);
      frame.trace.y.forEach((y, row) => box.append(DR.line(`y_${row} = `, y)));
      box.append(DR.line("C_x = ", result(frame.trace.cost)));
    } else {
      const equations = parts(layout, l).equations, count = frame.trace.layers[l - 2].z.length;
      head(what === "db" || what === "dW" || what === "z" || what === "a" || what === "delta" ? equations[what] : "");
      if (what === "delta" && !/sigma' cancels/.test(equations.delta)) head(equations.slope);
      if (what === "dW") {
        const layer = frame.trace.layers[l - 2];
        let shown = 0;
        layer.dW.forEach((line, row) => line.forEach((_, col) => {
          if (shown++ < MOST_LINES) box.append(DR.lineOf(layout, frame, "dW", l, row, col));
        }));
        if (shown > MOST_LINES) box.append(DR.make("p", { class: "soft" }, `${MOST_LINES} of ${shown} drawn weights; point at a weight to see its equation.`));
      } else rows(what, count);
    }
    return box;
  };

  const COSTS = { quadratic: "½ ‖y - a‖^2", "cross-entropy": "- sum_j [ y ln a + (1 - y) ln (1 - a) ]", "log-likelihood": "- ln a_y", huber: "Huber’s cost of y - a" };

  const update = (layout, frame, box, head) => {
    const trainer = layout.trainers[frame.selected];
    head(trainer.update);
    const plain = /^w ← w - eta dC\/dw/.test(trainer.update) && !layout.choices.l2;
    let shown = 0;
    frame.update.forEach(({ before, gradient, after }, i) => {
      if (!before.W) return;
      before.W.forEach((line, row) => line.forEach((w, col) => {
        if (shown++ >= MOST_LINES) return;
        const name = `w^${i + 2}_{${index(layout, i + 2)[row]},${index(layout, i + 1)[col]}}`, g = gradient.W[row][col], to = after.W[row][col];
        box.append(plain ? DR.line(`${name} ← `, w, " - ", frame.selected ? layout.choices.versus_eta : layout.choices.eta, "·", bracket(g), " = ", result(to))
          : DR.line(`${name}: `, w, " → ", result(to), "   where dC/dw = ", g));
      }));
    });
    if (shown > MOST_LINES) box.append(DR.make("p", { class: "soft" }, `${MOST_LINES} of ${shown} drawn weights.`));
    return box;
  };

  // The numbers of a neuron or a weight, for the panel under the drawing.
  DR.detail = (layout, frame, part) => {
    const box = document.createDocumentFragment(), { l, row } = part;
    if (l > 1 && !frame.trace.layers[l - 2]) return null;
    const head = (text) => box.append(DR.make("p", {}, DR.make("b", {}, text)));
    if (part.kind === "edge") {
      const layer = frame.trace.layers[l - 2], { j, k, below: col } = part;
      if (!layer.W || !layer.W[row] || layer.W[row][col] === undefined) return null;
      head(`Weight from neuron ${k} of layer ${l - 1} to neuron ${j} of layer ${l}`);
      box.append(DR.line(`w^${l}_{${j},${k}} = `, result(layer.W[row][col])), DR.lineOf(layout, frame, "dW", l, row, col));
      return box;
    }
    if (l === 1) {
      head(`Input ${part.j}, ${layout.problem.inputs[part.j] ?? ""}`);
      box.append(DR.line(`a^1_${part.j} = x_${part.j} = `, result(frame.trace.x[row])));
      return box;
    }
    head(`Neuron ${part.j} of layer ${l}, ${parts(layout, l).activation || parts(layout, l).kind}`);
    for (const what of ["z", "a", "slope", "delta", "db"])
      if (frame.trace.layers[l - 2][what]) box.append(DR.lineOf(layout, frame, what, l, row));
    return box;
  };
})();
