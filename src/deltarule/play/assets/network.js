"use strict";
// Draw the network: a neuron's fill shows a, its ring |delta|, the width of an edge |w|.
(() => {
  const COLUMN = 150, TOP = 26;

  // Shorten a label at its end until it is at most `room` wide.
  const fit = (label, room) => {
    const words = label.firstChild.textContent;
    for (let n = words.length - 1; n > 0 && label.getComputedTextLength() > room; n--) label.firstChild.textContent = `${words.slice(0, n).trimEnd()}…`;
  };

  DR.Drawing = class {
    constructor(svg, choose) {
      this.svg = svg;
      this.choose = choose; // called with the part pointed at, {kind, l, j, k}, and whether to pin it
      svg.addEventListener("pointerover", (event) => this.pointed(event, false));
      svg.addEventListener("click", (event) => this.pointed(event, true));
      svg.addEventListener("focusin", (event) => this.pointed(event, false));
      svg.addEventListener("pointerleave", () => this.choose(null, false));
      svg.addEventListener("keydown", (event) => this.move(event));
    }

    pointed(event, stay) {
      const part = event.target.closest && event.target.closest("[data-part]");
      if (!part) return;
      this.choose(JSON.parse(part.dataset.part), stay);
      if (stay) this.reach(part);
    }

    // The tab key reaches one part; the arrow keys move on from there.
    reach(part) {
      if (this.reached) this.reached.setAttribute("tabindex", "-1");
      this.reached = part;
      part.setAttribute("tabindex", "0");
    }

    layout(layout) {
      this.svg.replaceChildren();
      this.columns = [
        { l: 1, n: layout.inputs.n, shown: layout.inputs.shown, names: layout.problem.inputs },
        ...layout.layers.map((layer) => ({ l: layer.layer, n: layer.n, shown: layer.shown, activation: layer.activation, kind: layer.kind })),
      ];
      this.columns[this.columns.length - 1].names = layout.problem.outputs;
      const most = Math.max(...this.columns.map((column) => column.shown.length));
      const row = most > 12 ? 27 : most > 8 ? 32 : most > 4 ? 42 : 56;
      const radius = most > 12 ? 11 : most > 4 ? 14 : 17;
      const height = most * row + TOP + 30, named = this.columns.map((column, c) => (this.named(c) ? Math.max(...column.names.map((name) => String(name).length)) : 0));
      const side = Math.min(130, Math.max(66, radius + 14 + 7 * Math.max(...named))), width = (this.columns.length - 1) * COLUMN + 2 * side;
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.svg.style.minWidth = `${0.9 * width}px`; // narrow screens scroll the drawing
      this.neurons = this.columns.map(() => []);
      this.edges = this.columns.map(() => []);
      this.columns.forEach((column, c) => {
        column.x = side + c * COLUMN;
        column.y = column.shown.map((_, i) => TOP + 12 + row * (i + (most - column.shown.length) / 2 + 0.5));
      });
      const lines = DR.svg("g"), dots = DR.svg("g"), bodies = DR.svg("g");
      this.columns.forEach((column, c) => {
        if (c) this.connect(c, radius, lines, dots);
        this.place(column, c, radius, bodies, height);
      });
      this.svg.append(lines, bodies, dots);
      for (const label of bodies.querySelectorAll(".name")) fit(label, side - radius - 9);
      if (this.neurons[0][0]) this.reach(this.neurons[0][0].group);
    }

    // Whether the names of a column's neurons are written beside them.
    named(c) {
      const { names, shown, n } = this.columns[c];
      return Boolean(names && names.length && n === shown.length && (c === 0 || c === this.columns.length - 1));
    }

    connect(c, radius, lines, dots) {
      const from = this.columns[c - 1], to = this.columns[c], l = to.l;
      const ahead = (COLUMN - radius - 10) / COLUMN, between = to.y.length > 1 ? to.y[1] - to.y[0] : 60;
      const size = Math.max(1.2, Math.min(4.2, 0.47 * (1 - ahead) * (from.y.length > 1 ? from.y[1] - from.y[0] : between)));
      to.shown.forEach((j, row) => {
        this.edges[c].push(from.shown.map((k, below) => {
          const [x0, y0, x1, y1] = [from.x + radius, from.y[below], to.x - radius, to.y[row]];
          const at = y0 + (y1 - y0) * ahead, part = JSON.stringify({ kind: "edge", l, j, k, row, below });
          const line = DR.svg("g", { class: "edge", "data-part": part });
          const path = DR.svg("path", { d: `M${x0} ${y0}L${x1} ${y1}` });
          line.append(path, DR.svg("path", { class: "hit", d: `M${x0} ${y0}L${x1} ${y1}` }));
          const synapse = DR.svg("circle", {
            class: "synapse", cx: to.x - radius - 10, cy: at, r: size, "data-part": part, "data-testid": `edge-${l}-${j}-${k}`,
            tabindex: -1, role: "button", "aria-label": `weight from neuron ${k} of layer ${l - 1} to neuron ${j} of layer ${l}`,
          });
          lines.append(line);
          dots.append(synapse);
          return { line, path, synapse };
        }));
      });
    }

    place(column, c, radius, bodies, height) {
      const last = c === this.columns.length - 1;
      column.shown.forEach((j, row) => {
        const name = column.names && column.names[j] !== undefined ? `, ${column.names[j]}` : "";
        const group = DR.svg("g", {
          class: "neuron", "data-testid": `neuron-${column.l}-${j}`, "data-part": JSON.stringify({ kind: "neuron", l: column.l, j, row }),
          tabindex: -1, role: "button", "aria-label": `${c ? "neuron" : "input"} ${j} of layer ${column.l}${name}`,
        });
        const at = { cx: column.x, cy: column.y[row] };
        const ring = DR.svg("circle", { class: "ring", r: radius + 3, ...at });
        const ground = DR.svg("circle", { class: "body", r: radius, fill: "var(--card)", ...at });
        const body = DR.svg("circle", { r: radius, ...at });
        const text = DR.svg("text", { x: column.x, y: column.y[row] });
        group.append(ring, ground, body, text);
        bodies.append(group);
        this.neurons[c].push({ group, ring, body, text });
        if (this.named(c) && column.names[j] !== undefined) {
          const label = DR.svg("text", { class: "label name", x: column.x + (last ? 1 : -1) * (radius + 7), y: column.y[row] + 4, "text-anchor": last ? "start" : "end" });
          const full = DR.svg("title");
          full.textContent = column.names[j];
          label.append(String(column.names[j]), full);
          bodies.append(label);
        }
      });
      const head = DR.svg("text", { class: "label", x: column.x, y: 14, "text-anchor": "middle" });
      head.textContent = c ? column.activation || column.kind : "input";
      bodies.append(head);
      if (column.n > column.shown.length) {
        const more = DR.svg("text", { class: "label", x: column.x, y: height - 8, "text-anchor": "middle" });
        more.textContent = `${column.shown.length} of ${column.n}`;
        bodies.append(more);
      }
    }

    // Draw the numbers of a frame up to a `stage` of the equations; null draws all.
    draw(trace, stage) {
      this.columns.forEach((column, c) => {
        const layer = c ? trace.layers[c - 1] : null;
        const values = c ? layer.a : trace.x, deltas = c ? layer.delta : null;
        const top = deltas ? deltas.reduce((most, d) => Math.max(most, Math.abs(d)), 1e-300) : 1;
        const known = !stage || stage.a >= column.l, back = deltas && (!stage || stage.delta <= column.l);
        this.neurons[c].forEach(({ group, ring, body, text }, row) => {
          const a = values ? values[row] : null;
          body.style.fill = a < 0 ? "var(--minus)" : "var(--plus)";
          body.style.fillOpacity = known && a !== null ? 0.5 * Math.min(1, Math.abs(a)) : 0;
          text.textContent = known && a !== null ? (Math.abs(a) >= 9.995 || (a !== 0 && Math.abs(a) < 0.005) ? a.toExponential(0) : a.toFixed(2)) : "";
          ring.style.strokeWidth = back ? 4 * Math.abs(deltas[row]) / top : 0;
          group.classList.toggle("active", Boolean(stage && stage.neurons === column.l));
        });
        if (c && layer.W) this.weights(c, layer.W, stage);
      });
    }

    weights(c, W, stage) {
      let top = 1e-300;
      for (const line of W) for (const w of line) top = Math.max(top, Math.abs(w));
      const active = Boolean(stage && stage.edges === this.columns[c].l);
      this.edges[c].forEach((line, row) => line.forEach(({ line: group, path, synapse }, below) => {
        const w = W[row][below], share = Math.abs(w) / top;
        path.style.strokeWidth = 0.4 + 3.2 * share;
        path.style.strokeOpacity = 0.18 + 0.7 * share;
        if (group.minus !== w < 0) {
          group.minus = w < 0;
          group.classList.toggle("minus", group.minus);
          synapse.classList.toggle("minus", group.minus);
        }
        if (group.active !== active) {
          group.active = active;
          group.classList.toggle("active", active);
        }
      }));
    }

    mark(part) {
      for (const old of this.marked || []) old.classList.remove("chosen");
      this.marked = part ? this.find(part) : [];
      for (const element of this.marked) element.classList.add("chosen");
    }

    find(part) {
      const c = part.l - 1;
      if (part.kind === "neuron") return this.neurons[c] && this.neurons[c][part.row] ? [this.neurons[c][part.row].group] : [];
      const edge = this.edges[c] && this.edges[c][part.row] && this.edges[c][part.row][part.below];
      return edge ? [edge.line, edge.synapse] : [];
    }

    // Arrow keys move up and down within a layer, left and right between layers; w goes through a neuron's weights.
    move(event) {
      const part = event.target.dataset && event.target.dataset.part && JSON.parse(event.target.dataset.part);
      if (!part) return;
      const key = event.key, c = part.l - 1;
      let next = null;
      if (part.kind === "neuron" && (key === "ArrowUp" || key === "ArrowDown"))
        next = this.neurons[c][part.row + (key === "ArrowUp" ? -1 : 1)];
      else if (part.kind === "neuron" && (key === "ArrowLeft" || key === "ArrowRight")) {
        const column = this.neurons[c + (key === "ArrowLeft" ? -1 : 1)];
        next = column && column[Math.min(part.row, column.length - 1)];
      } else if (key === "w" && c > 0) {
        const line = this.edges[c][part.row];
        next = { group: line[part.kind === "edge" ? (part.below + 1) % line.length : 0].synapse };
      } else if (part.kind === "edge" && key.startsWith("Arrow")) next = this.neurons[c][part.row];
      else if (key === "Enter") return this.pointed(event, true);
      else return;
      event.preventDefault();
      event.stopPropagation();
      if (!next) return;
      this.reach(next.group);
      next.group.focus();
    }
  };
})();
