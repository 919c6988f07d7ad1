"use strict";
// The page: receive messages, draw frames, and step through equations.
(() => {
  const by = (id) => document.getElementById(id);
  const recorded = by("recording") ? JSON.parse(by("recording").textContent) : null;
  let layout = null, frame = null, running = false, series = [], total = 1;
  let cursor = null; // the number of the equation that is shown; null shows all numbers
  let pinned = null, pointed = null; // the part of the drawing whose numbers are shown
  let steps = [], waiting = null, painted = true;
  const earlyClicks = [];
  let lastFrameTime = 0, slow = false; // slow: the page says that the next frame takes long

  const drawing = new DR.Drawing(by("network"), (part, stay) => {
    if (stay) pinned = pinned && part && JSON.stringify(pinned) === JSON.stringify(part) ? null : part;
    pointed = part;
    drawing.mark(pointed || pinned);
    showDetail();
  });

  // Connect to the server, or replay the recording.
  const live = () => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/socket${location.search}`);
    socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      running = false;
      for (const control of document.querySelectorAll(".bar button, .bar select, #settings *, #epoch, #save, #row")) control.disabled = true;
      const text = layout && layout.watch ? "The program that trained has ended; the last numbers stay here." : "The connection has ended; the last numbers stay here. Start deltarule play again to go on.";
      say(event.code === 1008 || event.code === 1013 ? event.reason : text, !(layout && layout.watch));
    });
    return (message) => socket.readyState === 1 && socket.send(JSON.stringify(message));
  };

  const replay = ({ layout, frames }) => {
    document.body.classList.add("replay");
    for (const id of ["reset", "example", "batch", "row"]) by(id).disabled = true;
    let at = frames.length - 1, timer = null;
    const course = frames[0].learners.map((learner) => ({ ...learner }));
    const show = (k) => {
      at = Math.max(0, Math.min(frames.length - 1, k));
      receive({ ...frames[at], running: timer !== null, moment: at, learners: frames[at].learners.map((learner, i) => ({ ...learner, from: 0, epochs: course[i].epochs, costs: course[i].costs, validation: course[i].validation })) });
    };
    const stop = () => {
      clearInterval(timer);
      timer = null;
    };
    const commands = {
      show: ({ moment }) => show(moment ?? frames.length - 1),
      run: () => {
        if (at === frames.length - 1) at = -1;
        stop();
        timer = setInterval(() => {
          if (at + 1 >= frames.length - 1) stop();
          show(at + 1);
        }, 1000 / (Number(by("speed").value) || 60));
      },
      pause: () => {
        stop();
        show(at);
      },
      epoch: () => show(at + 1),
      example: () => show(at + 1),
      batch: () => show(at + 1),
      select: () => {},
    };
    setTimeout(() => {
      receive(layout);
      show(0);
    });
    return (message) => {
      if (message.do !== "run" && message.do in commands && message.do !== "select") stop();
      if (message.do in commands) commands[message.do](message);
    };
  };

  const say = (text, bad = false) => {
    by("message").textContent = text;
    by("message").classList.toggle("calm", !bad);
  };

  const receive = (message) => {
    if (message.kind === "layout") receiveLayout(message);
    else if (message.kind === "frame") receiveFrame(message);
    else if (message.kind === "error") {
      say(message.text, true);
      if (layout && !layout.watch) settings.layout(layout); // the form shows the accepted settings again
    } else if (message.kind === "paused") {
      running = false;
      if (slow) say("");
      slow = false;
      showRunning();
      if (frame) paint();
    } else if (message.kind === "drawn") pad.answer(message, layout.problem.outputs);
    else if (message.kind === "replay") download(message.html);
  };

  const receiveLayout = (message) => {
    layout = message;
    const { problem } = layout;
    by("title").textContent = problem.title;
    by("parameters").textContent = `${layout.parameters.toLocaleString("en")} parameters`;
    document.querySelector(".held-out").hidden = !problem.validated;
    document.querySelector(".right").hidden = !problem.classes;
    by("pad").hidden = !problem.image || Boolean(recorded);
    series = layout.trainers.map(({ name }) => ({ name, epochs: [], costs: [], validation: null, states: {} }));
    pinned = pointed = cursor = null;
    say("");
    document.body.classList.toggle("watch", Boolean(layout.watch));
    by("pause").textContent = layout.watch ? "Stop training" : "Pause";
    by("epoch").disabled = Boolean(layout.watch);
    if (!layout.watch) settings.layout(layout);
    drawing.layout(layout);
    showDetail();
    views();
    if (problem.image) pad.begin(problem.image);
    if (!layout.watch) by("speed").replaceChildren(...layout.known.speed.map((speed) => {
      const option = DR.make("option", { value: speed }, speed ? `${speed} a second` : "as fast as possible");
      option.selected = speed === 60;
      return option;
    }));
  };

  // A figure for each trainer, with the image of the current example.
  const views = () => {
    const { problem, trainers } = layout;
    by("views").replaceChildren(...trainers.map(({ name }, i) => {
      const figure = DR.make("figure"), caption = DR.make("figcaption");
      if (trainers.length > 1) {
        const button = DR.make("button", { type: "button", "data-testid": `trainer-${i}`, "aria-pressed": "false" }, name);
        button.addEventListener("click", () => send({ do: "select", learner: i }));
        caption.append(button, " ");
      }
      const picture = DR.make("canvas", { class: "picture", role: "img", "aria-label": "the image of the example" });
      if (problem.image) figure.append(DR.make("div", { class: "example-in" }, picture, DR.make("div", { class: "bars" })));
      if (problem.classes && problem.view !== "plane") figure.append(DR.make("div", { class: "counts" }));
      else {
        const canvas = DR.make("canvas", { role: "img", "data-testid": `view-${i}`, "aria-label": VIEWS[problem.view] });
        figure.append(canvas);
        if (problem.name === "points" && !recorded) points.listen(canvas, layout);
      }
      figure.append(caption);
      return figure;
    }));
    by("view-words").textContent = VIEWS[problem.classes ? (problem.view === "table" ? "classes" : problem.view) : problem.view === "plane" ? "values" : problem.view];
  };
  const VIEWS = {
    plane: "The predicted class at every point of the plane; the current example has a ring.",
    values: "The prediction at every point of the plane, blue for high and red for low values; the current example has a ring.", line: "The fitted curve and the data; with Bayesian regularisation also its error bands.",
    image: "Above, the current example. Below, the confusion matrix: a row for each digit, a column for each prediction.", table: "Predictions over targets; on the line they agree.",
    classes: "The confusion matrix: a row for each class, a column for each prediction.",
  };

  const receiveFrame = (message) => {
    if (!layout || message.version !== layout.version) return acknowledge();
    frame = message;
    running = message.running;
    lastFrameTime = performance.now();
    if (slow) say("");
    slow = false;
    message.learners.forEach((learner, i) => {
      const curves = series[i];
      for (const name of ["epochs", "costs"]) curves[name].splice(learner.from, Infinity, ...learner[name]);
      for (const [name, values] of Object.entries(learner.states)) {
        curves.states[name] = curves.states[name] || new Array(learner.from).fill(null);
        curves.states[name].splice(learner.from, Infinity, ...values);
      }
      if (learner.validation) (curves.validation = curves.validation || []).splice(learner.from, Infinity, ...learner.validation);
    });
    total = recorded ? recorded.frames.length : series[frame.selected].epochs.length;
    steps = DR.steps(layout, frame);
    if (waiting === "step") cursor = 0;
    else if (waiting === "back") cursor = steps.length - 1;
    else if ((running && !layout.watch) || waiting) cursor = null;
    cursor = cursor === null ? null : Math.min(cursor, steps.length - 1);
    waiting = null;
    if (painted) {
      painted = false;
      requestAnimationFrame(() => {
        painted = true;
        paint();
        acknowledge();
        for (const name of earlyClicks.splice(0)) actions[name]();
      });
    } else acknowledge();
  };
  const acknowledge = () => send({ do: "shown" });

  const format = (value) => (value === null || value === undefined ? "–" : value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(3) : value.toPrecision(5));

  const paint = () => {
    const learner = frame.learners[frame.selected], { problem } = layout;
    by("epoch").textContent = learner.epoch;
    by("cost").textContent = format(learner.cost);
    by("cost").dataset.value = learner.cost;
    by("validation").textContent = format(learner.validation_cost);
    by("accuracy").textContent = learner.accuracy === null ? "–" : `${(100 * learner.accuracy).toFixed(1)} %`;
    by("timeline").max = total - 1;
    by("timeline").value = frame.moment;
    const batches = layout.trainers[frame.selected].batches, inside = learner.batch ? `, batch ${learner.batch} of ${batches}` : "";
    by("moment").textContent = frame.moment === 0 && !learner.epoch && !learner.batch ? "the start" : `epoch ${learner.epoch}${inside}`;
    by("timeline").setAttribute("aria-valuetext", by("moment").textContent);
    if (document.activeElement !== by("row")) by("row").value = frame.source_row;
    drawing.draw(frame.trace, cursor === null ? null : steps[cursor].stage);
    showEquation();
    showDetail();
    showRunning();
    charts();
    const ended = frame.learners.map((learner, i) => (learner.ended ? `${layout.trainers[i].name}: ${learner.ended}` : "")).filter(Boolean);
    if (ended.length && !running) say(ended.join(" "));
  };

  const charts = () => {
    const { problem } = layout, back = frame.moment < total - 1;
    frame.learners.forEach((learner, i) => {
      const figure = by("views").children[i], canvas = figure.querySelector("canvas:not(.picture)");
      if (canvas) DR.drawView(canvas, layout, learner.view, frame.trace, DR.seriesColour(i));
      const button = figure.querySelector("button");
      if (button) button.setAttribute("aria-pressed", String(i === frame.selected));
      if (learner.view.confusion) figure.querySelector(".counts").replaceChildren(DR.confusion(problem.classes, learner.view.confusion));
      if (problem.image) {
        DR.picture(figure.querySelector(".picture"), DR.bytes(frame.pixels), problem.image);
        if (i === frame.selected) {
          const last = layout.layers[layout.layers.length - 1];
          const a = frame.trace.layers[layout.layers.length - 1].a;
          DR.outputBars(figure.querySelector(".bars"), last.shown.map((j) => problem.outputs[j]), a);
        } else figure.querySelector(".bars").replaceChildren();
      }
    });
    const epoch = frame.learners[frame.selected].epoch;
    DR.costChart(by("cost-chart"), series, back && !layout.watch ? epoch : null, `${layout.cost} cost, logarithmic`);
    states(series[frame.selected], back && !layout.watch ? epoch : null);
    by("cost-legend").replaceChildren(...series.map(({ name, validation }, i) => {
      const key = DR.make("span", { class: "key" }, DR.make("span", {}, `${name}${validation ? ", dashed on held-out rows" : ""}`));
      key.style.color = DR.seriesColour(i);
      return key;
    }));
    if (!running) by("cost-chart").setAttribute("aria-label", `Cost over the epochs: ${series.map(({ name, costs }) => `${name} from ${format(costs[0])} to ${format(costs[costs.length - 1])}`).join("; ")}`);
    const learner = frame.learners[frame.selected];
    DR.speedBars(by("speeds"), layout.layers.filter((layer, i) => frame.trace.layers[i].b).map(({ layer }) => layer), learner.speeds);
    const { record } = learner, lambda = record.lambda ?? record.mu ?? record.radius;
    by("damping").hidden = lambda === undefined;
    if (lambda === undefined) return;
    if (learner.trials) DR.trials(by("trials"), learner.trials, layout.verdicts);
    else by("trials").replaceChildren();
    const name = record.lambda !== undefined ? "Damping λ" : record.mu !== undefined ? "Damping μ" : "Radius of the trust region";
    const evidence = record.gamma === undefined ? "" : ` The data determine ${record.gamma.toFixed(1)} of the ${layout.parameters} parameters; log evidence ${record.log_evidence.toPrecision(6)}.`;
    by("trials-caption").textContent = `${name} ${format(lambda)}: ${record.accepted ?? 0} trial accepted, ${record.rejected} rejected in this epoch.${evidence}`;
  };

  // The gradient, and the damping or the radius, over the epochs.
  const STATES = { gradient_norm: "‖∇C‖", lambda: "damping λ", mu: "damping μ", radius: "radius" };
  const states = ({ epochs, states }, at) => {
    const names = Object.keys(states);
    by("states").hidden = !names.length;
    if (!names.length) return;
    const colours = (i) => DR.seriesColour(i ? 0 : 1);
    DR.costChart(by("state-chart"), names.map((name) => ({ epochs, costs: states[name], validation: null })), at, "", colours);
    by("state-legend").replaceChildren(...names.map((name, i) => {
      const value = states[name][states[name].length - 1], key = DR.make("span", { class: "key" }, DR.make("span", {}, `${STATES[name]} ${format(value)}`));
      key.style.color = colours(i);
      return key;
    }));
  };

  // An epoch of a second-order trainer on many examples may take long.
  setInterval(() => {
    const seconds = (performance.now() - lastFrameTime) / 1000;
    if (!running || !layout || layout.watch || seconds < 2) return;
    slow = true;
    say(`An epoch of ${layout.trainers.map(({ name }) => name).join(" and ")} has taken ${Math.floor(seconds)} s so far. Pause ends it early.`);
  }, 500);

  const showRunning = () => {
    if (layout.watch) by("pause").disabled = !running;
    by("detail").setAttribute("aria-live", running ? "off" : "polite");
    document.body.classList.toggle("running", running);
    by("run").setAttribute("aria-pressed", String(running));
  };

  const showEquation = () => {
    const box = by("equation");
    if (cursor === null) {
      if (box.dataset.step !== "none") box.replaceChildren(DR.make("p", { class: "soft" }, "Press Step to follow one example forward through the network and its error back, equation by equation, with all numbers."));
      box.dataset.step = "none";
    } else {
      box.dataset.step = `${steps[cursor].id.what}${steps[cursor].id.l ?? ""}`;
      const { size, place } = frame.batch, of = size > 1 ? `, example ${place + 1} of the ${size} of this batch` : "";
      box.replaceChildren(DR.make("p", { class: "soft" }, `Row ${frame.source_row}${of}`), DR.equation(layout, frame, steps[cursor]));
    }
    const names = steps.map(({ name }) => name).join();
    if (by("steps").dataset.names !== names) {
      by("steps").dataset.names = names;
      by("steps").replaceChildren(...steps.map(({ name }, i) => {
        const button = DR.make("button", { type: "button" }, name);
        button.addEventListener("click", () => look(i));
        return DR.make("li", {}, button);
      }));
    }
    [...by("steps").querySelectorAll("button")].forEach((button, i) => (i === cursor ? button.setAttribute("aria-current", "step") : button.removeAttribute("aria-current")));
  };

  const look = (step) => {
    if (running && !layout.watch) send({ do: "pause" });
    cursor = step;
    paint();
  };

  const showDetail = () => {
    const part = pointed || pinned, detail = part && frame && layout ? DR.detail(layout, frame, part) : null;
    by("detail").replaceChildren(detail || DR.make("p", { class: "soft" }, "Blue is positive, red negative. The width of a line shows its weight, the thickness of a golden ring the error δ. Hover, tap, or move with the arrow keys (w for the weights into a neuron) to see the numbers of a neuron or weight here."));
  };

  const download = (html) => {
    const link = DR.make("a", { href: URL.createObjectURL(new Blob([html], { type: "text/html" })), download: "deltarule-replay.html" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    say("Saved as deltarule-replay.html, which opens in any browser without a server.");
  };

  const actions = {
    step: () => {
      if (layout.watch) look(cursor === null || cursor + 1 >= steps.length ? 0 : cursor + 1);
      else if (cursor !== null && cursor + 1 >= steps.length) {
        waiting = "step";
        send(frame.moment < total - 1 ? { do: "show", moment: frame.moment + 1 } : { do: "example" });
      } else look(cursor === null ? 0 : cursor + 1);
    },
    back: () => {
      if (cursor !== null && cursor > 0) look(cursor - 1);
      else if (frame.moment > 0 && !layout.watch) {
        waiting = "back";
        send({ do: "show", moment: frame.moment - 1 });
      }
    },
    run: () => {
      [running, lastFrameTime] = [true, performance.now()];
      showRunning();
      send({ do: "run" });
    },
    pause: () => send({ do: "pause" }),
    reset: () => send({ do: "reset" }),
    save: () => send({ do: "save" }),
  };
  for (const name of ["example", "batch", "epoch"]) actions[name] = () => {
    waiting = "free";
    send({ do: name });
  };

  const points = new DR.Points((message) => send(message));
  const pad = new DR.Pad((message) => send(message));
  const settings = new DR.Settings((message) => {
    say("");
    send(message);
  }, points);
  const send = recorded ? replay(recorded) : live();
  DR.redraw = () => frame && charts();

  const act = (name) => (frame ? actions[name]() : earlyClicks.push(name)); // a click may come before the first frame
  for (const name of Object.keys(actions)) by(name).addEventListener("click", () => act(name));
  by("speed").addEventListener("change", () => send({ do: "speed", speed: Number(by("speed").value) }));
  by("timeline").addEventListener("input", () => {
    const moment = Number(by("timeline").value);
    cursor = null;
    send({ do: "show", moment: moment >= total - 1 && !recorded ? null : moment });
  });
  by("row").addEventListener("change", () => send({ do: "look", row: Number(by("row").value) }));
  by("digits").addEventListener("change", () => {
    DR.digits = Number(by("digits").value);
    if (frame) paint();
  });
  window.addEventListener("resize", () => frame && charts());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => frame && charts());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const space = event.key === " " && event.target.tagName !== "BUTTON" && !layout.watch;
    const name = { ArrowRight: "step", ArrowLeft: "back", x: "example", b: "batch", e: "epoch", r: "reset" }[event.key] || (space && (running ? "pause" : "run"));
    if (!name || by(name).disabled || getComputedStyle(by(name)).display === "none") return;
    event.preventDefault();
    act(name);
  });
})();
