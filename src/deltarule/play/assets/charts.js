"use strict";
// Draw curves, regions and predictions. All numbers come from the server.
(() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const CLASSES = [[59, 118, 196], [196, 69, 47], [47, 143, 107], [217, 154, 28], [123, 90, 166], [138, 143, 152], [194, 85, 157], [60, 160, 180], [150, 120, 60], [110, 110, 220]];
  DR.classColour = (label) => `rgb(${CLASSES[label % CLASSES.length].join(",")})`;
  DR.seriesColour = (i) => css(i ? "--second" : "--main");

  // Clear a canvas and match it to the screen's pixels; returns its context and its size in CSS pixels.
  const fresh = (canvas) => {
    const scale = window.devicePixelRatio || 1, width = canvas.clientWidth || 300, height = canvas.clientHeight || 170;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    return { context, width, height };
  };

  DR.bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  // Costs over the epochs on a logarithmic scale; `at` marks an earlier epoch, null for the last one; `title` is that of the axis.
  DR.costChart = (canvas, series, at, title, colours = DR.seriesColour) => {
    const { context, width, height } = fresh(canvas), left = 46, right = width - 8, top = title ? 22 : 8, bottom = height - 20;
    const values = series.flatMap(({ costs, validation }) => [...costs, ...(validation || [])]).filter((v) => v !== null && v > 0);
    if (!values.length) return;
    const last = Math.max(1, ...series.map(({ epochs }) => epochs[epochs.length - 1] || 0));
    const low = Math.log10(values.reduce((a, b) => Math.min(a, b))), high = Math.log10(values.reduce((a, b) => Math.max(a, b)));
    const from = low - 0.05 * (high - low + 0.2), to = high + 0.05 * (high - low + 0.2);
    const x = (epoch) => left + ((right - left) * epoch) / last, y = (cost) => bottom - ((bottom - top) * (Math.log10(cost) - from)) / (to - from);
    context.fillStyle = css("--soft");
    context.strokeStyle = css("--line");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    const decades = Math.ceil(from) <= Math.floor(to) ? range(Math.ceil(from), Math.floor(to)) : [];
    const ticks = decades.length > 1 ? decades.filter((_, i) => i % Math.ceil(decades.length / 6) === 0).map((d) => 10 ** d) : [10 ** to, 10 ** ((from + to) / 2), 10 ** from];
    for (const tick of ticks) {
      context.beginPath();
      context.moveTo(left, y(tick));
      context.lineTo(right, y(tick));
      context.stroke();
      context.fillText(tick < 1e-3 || tick >= 1e5 ? tick.toExponential(decades.length > 1 ? 0 : 1) : String(Number(tick.toPrecision(3))), left - 5, Math.min(bottom - 4, Math.max(top + 4, y(tick))));
    }
    context.textAlign = "left";
    context.fillText(title, 4, 9);
    context.textAlign = "center";
    context.fillText("0", left, bottom + 11);
    context.textAlign = "right";
    context.fillText(`epoch ${Math.round(last)}`, right, bottom + 11);
    series.forEach(({ epochs, costs, validation }, i) => {
      context.strokeStyle = colours(i);
      context.lineWidth = 1.8;
      for (const [line, dash] of [[costs, []], [validation, [4, 3]]]) {
        if (!line) continue;
        context.setLineDash(dash);
        context.beginPath();
        line.forEach((cost, n) => cost > 0 && context.lineTo(x(epochs[n]), y(cost)));
        context.stroke();
      }
      context.setLineDash([]);
    });
    if (at !== null) {
      context.strokeStyle = css("--glow");
      context.beginPath();
      context.moveTo(x(at), top);
      context.lineTo(x(at), bottom);
      context.stroke();
    }
  };
  const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

  // A bar for each layer with biases.
  DR.speedBars = (box, layers, speeds) => {
    const top = Math.max(1e-300, ...speeds);
    if (box.children.length !== speeds.length) {
      box.replaceChildren(...speeds.map(() => DR.make("div", {}, DR.make("span"), DR.make("i"), DR.make("span", { class: "n" }))));
    }
    speeds.forEach((speed, i) => {
      const [name, bar, number] = box.children[i].children;
      name.textContent = `layer ${layers[i]}`;
      bar.style.width = `${(100 * speed) / top}%`;
      number.textContent = speed === null ? "–" : speed < 1e-3 ? speed.toExponential(2) : speed.toPrecision(3);
    });
    box.setAttribute("aria-label", `Speed of learning: ${speeds.map((s, i) => `layer ${layers[i]} ${s === null ? "none" : s.toPrecision(3)}`).join(", ")}`);
  };

  // The trials of the last second-order step.
  DR.trials = (box, trials, verdicts) => {
    const rows = trials.lambda.map((lambda, i) =>
      DR.make("tr", {}, ...[lambda, trials.cost[i], trials.gain[i]].map((v) => DR.make("td", {}, v === null ? "–" : v.toPrecision(3))),
        DR.make("td", { class: "words" }, verdicts[trials.verdict[i]])));
    const head = DR.make("tr", {}, DR.make("th", {}, "λ"), DR.make("th", {}, "cost"), DR.make("th", {}, "gain"), DR.make("th", { class: "words" }, "verdict"));
    box.replaceChildren(DR.make("div", { class: "wide" }, DR.make("table", {}, DR.make("thead", {}, head), DR.make("tbody", {}, ...rows))));
  };

  DR.square = (canvas) => {
    const width = canvas.clientWidth || 260;
    canvas.style.height = `${width}px`;
  };

  DR.drawView = (canvas, layout, view, trace, colour) => {
    const { problem } = layout;
    if (problem.view === "plane") plane(canvas, problem, view, trace);
    else if (problem.view === "line") line(canvas, problem, view, trace, colour);
    else if (view.targets) scatter(canvas, view, colour);
  };

  // The colour and opacity of a value, given as a share from the lowest (red) to the highest (blue).
  const shade = (share) => [CLASSES[share > 0.5 ? 0 : 1], Math.abs(share - 0.5) * 1.6];

  const plane = (canvas, problem, view, trace) => {
    DR.square(canvas);
    const { context, width, height } = fresh(canvas), [x0, x1, y0, y1] = problem.box;
    const small = document.createElement("canvas");
    small.width = small.height = view.size;
    const image = new ImageData(view.size, view.size);
    const strength = DR.bytes(view.strength || view.value), label = view.label ? DR.bytes(view.label) : null;
    for (let i = 0; i < strength.length; i++) {
      const [ink, alpha] = label ? [CLASSES[label[i] % CLASSES.length], 0.1 + strength[i] / 510] : shade(strength[i] / 255);
      image.data.set([...ink, 255 * alpha], 4 * i);
    }
    small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(small, 0, 0, width, height);
    const [lowest, highest] = problem.range, { X, Y, labels } = problem.points;
    const [card, soft, dark] = ["--card", "--soft", "--ink"].map(css);
    const point = ([x, y], value, label, chosen) => {
      context.beginPath();
      context.arc((width * (x - x0)) / (x1 - x0), height - (height * (y - y0)) / (y1 - y0), chosen ? 6 : X.length > 60 ? 2.8 : 4.5, 0, 7);
      const [ink, alpha] = problem.classes ? [CLASSES[label % CLASSES.length], 1] : shade((value - lowest) / (highest - lowest || 1));
      context.fillStyle = card;
      context.fill();
      context.fillStyle = `rgb(${ink.join(" ")} / ${alpha})`;
      context.fill();
      context.lineWidth = chosen ? 2.5 : 1;
      context.strokeStyle = chosen ? dark : problem.classes ? card : soft;
      context.stroke();
    };
    X.forEach((x, i) => point(x, Y[i], labels[i], false));
    point(trace.x, trace.y[0], trace.y.length > 1 ? trace.y.indexOf(Math.max(...trace.y)) : Number(trace.y[0] > 0.5), true);
    if (DR.cursor) {
      const [x, y] = [(width * (DR.cursor[0] - x0)) / (x1 - x0), height - (height * (DR.cursor[1] - y0)) / (y1 - y0)];
      context.strokeStyle = css("--ink");
      context.strokeRect(x - 5, y - 5, 10, 10);
    }
  };

  const line = (canvas, problem, view, trace, colour) => {
    canvas.style.height = "15rem";
    const { context, width, height } = fresh(canvas), [x0, x1, y0, y1] = problem.box;
    const x = (v) => (width * (v - x0)) / (x1 - x0), y = (v) => height - (height * (v - y0)) / (y1 - y0);
    const band = (low, high, alpha) => {
      if (!low) return;
      context.beginPath();
      view.x.forEach((v, i) => context.lineTo(x(v), y(low[i])));
      [...view.x].reverse().forEach((v, i) => context.lineTo(x(v), y(high[high.length - 1 - i])));
      context.globalAlpha = alpha;
      context.fillStyle = colour;
      context.fill();
      context.globalAlpha = 1;
    };
    band(view.lowest, view.highest, 0.13);
    band(view.low, view.high, 0.25);
    context.beginPath();
    view.x.forEach((v, i) => view.y[i] !== null && context.lineTo(x(v), y(view.y[i])));
    context.lineWidth = 2.2;
    context.strokeStyle = colour;
    context.stroke();
    const ink = css("--ink");
    problem.points.X.forEach(([v], i) => dot(context, x(v), y(problem.points.Y[i]), ink));
    dot(context, x(trace.x[0]), y(trace.y[0]), css("--glow"), 5.5);
  };

  const dot = (context, x, y, colour, radius = 3) => {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fillStyle = colour;
    context.globalAlpha = radius > 3 ? 1 : 0.65;
    context.fill();
    context.globalAlpha = 1;
  };

  const scatter = (canvas, view, colour) => {
    DR.square(canvas);
    const { context, width, height } = fresh(canvas), all = [...view.targets, ...view.predictions].filter((v) => v !== null);
    const low = all.reduce((a, b) => Math.min(a, b)), high = all.reduce((a, b) => Math.max(a, b)), span = high - low || 1;
    const at = (v, size) => 14 + ((size - 28) * (v - low)) / span;
    context.strokeStyle = css("--soft");
    context.setLineDash([4, 4]);
    context.beginPath();
    context.moveTo(at(low, width), height - at(low, height));
    context.lineTo(at(high, width), height - at(high, height));
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colour;
    context.globalAlpha = 0.6;
    view.targets.forEach((target, i) => {
      context.beginPath();
      context.arc(at(target, width), height - at(view.predictions[i], height), 3, 0, 7);
      context.fill();
    });
    context.globalAlpha = 1;
  };

  DR.confusion = (names, counts) => {
    const head = DR.make("tr", {}, DR.make("th", {}, ""), ...names.map((name) => DR.make("th", { scope: "col" }, name)));
    const top = Math.max(1, ...counts.flat());
    const rows = counts.map((line, i) => DR.make("tr", {}, DR.make("th", { scope: "row" }, names[i]), ...line.map((count, j) => {
      const cell = DR.make("td", {}, count ? String(count) : "");
      cell.style.background = `rgb(${CLASSES[i === j ? 0 : 1].join(" ")} / ${count ? 0.08 + (0.4 * count) / top : 0})`;
      return cell;
    })));
    return DR.make("div", { class: "wide" }, DR.make("table", { class: "confusion" }, DR.make("thead", {}, head), DR.make("tbody", {}, ...rows)));
  };

  // An image of pixels from 0 to 255.
  DR.picture = (canvas, pixels, [height, width]) => {
    canvas.width = width;
    canvas.height = height;
    const image = new ImageData(width, height);
    pixels.forEach((value, i) => image.data.set([255 - value, 255 - value, 255 - value, 255], 4 * i));
    canvas.getContext("2d").putImageData(image, 0, 0);
  };

  DR.outputBars = (box, names, outputs) => {
    const answer = outputs.indexOf(Math.max(...outputs));
    box.replaceChildren(...outputs.map((value, i) => {
      const bar = DR.make("i");
      bar.style.width = `${100 * Math.max(0, Math.min(1, value))}%`;
      return DR.make("div", {}, i === answer ? DR.make("b", {}, names[i]) : DR.make("span", {}, names[i]), bar, DR.make("span", { class: "n" }, value.toFixed(3)));
    }));
    return answer;
  };
})();
