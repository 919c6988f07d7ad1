"use strict";
// The user's own data: points in the plane, and a drawn digit.
(() => {
  // Points that the user sets in the plane; each change starts a new training.
  DR.Points = class {
    constructor(send) {
      this.send = send;
      this.points = [];
      this.label = 0;
      const [a, b] = ["class-a", "class-b"].map((id) => document.getElementById(id));
      const choose = (label) => {
        this.label = label;
        a.setAttribute("aria-pressed", String(label === 0));
        b.setAttribute("aria-pressed", String(label === 1));
      };
      a.addEventListener("click", () => choose(0));
      b.addEventListener("click", () => choose(1));
      document.getElementById("clear-points").addEventListener("click", () => {
        this.points = this.initial();
        this.sendPoints();
      });
    }

    initial() {
      return [[-0.5, 0.5, 0], [0.5, -0.5, 1]];
    }

    start() {
      if (!this.points.length) this.points = this.initial();
      this.sendPoints();
    }

    sendPoints() {
      this.send({ do: "choose", problem: "points", points: this.points });
    }

    listen(canvas, layout) {
      canvas.tabIndex = 0;
      canvas.setAttribute("role", "application");
      canvas.setAttribute("aria-label", "The plane: arrow keys move a cursor, space sets a point");
      canvas.style.cursor = "crosshair";
      const [x0, x1, y0, y1] = layout.problem.box;
      canvas.addEventListener("click", (event) => {
        const box = canvas.getBoundingClientRect();
        this.add(x0 + ((x1 - x0) * (event.clientX - box.left)) / box.width, y1 - ((y1 - y0) * (event.clientY - box.top)) / box.height);
      });
      canvas.addEventListener("keydown", (event) => {
        const moves = { ArrowLeft: [-0.06, 0], ArrowRight: [0.06, 0], ArrowUp: [0, 0.06], ArrowDown: [0, -0.06] };
        DR.cursor = DR.cursor || [0, 0];
        if (event.key in moves) DR.cursor = DR.cursor.map((v, i) => Math.max(-1.15, Math.min(1.15, v + moves[event.key][i])));
        else if (event.key === " ") this.add(...DR.cursor);
        else return;
        event.preventDefault();
        event.stopPropagation();
        DR.redraw();
      });
    }

    add(x, y) {
      if (this.points.length >= 500) return;
      this.points.push([Number(x.toFixed(3)), Number(y.toFixed(3)), this.label]);
      this.sendPoints();
    }
  };

  // A digit that the user draws pixel by pixel, in the size that the network reads.
  DR.Pad = class {
    constructor(send) {
      this.canvas = document.getElementById("pad-canvas");
      this.send = send;
      this.shape = null;
      const draw = (event) => {
        if (!this.shape || (event.type === "pointermove" && !event.buttons)) return;
        const box = this.canvas.getBoundingClientRect(), [height, width] = this.shape;
        this.paint(Math.floor((height * (event.clientY - box.top)) / box.height), Math.floor((width * (event.clientX - box.left)) / box.width));
        event.preventDefault();
      };
      this.canvas.addEventListener("pointerdown", (event) => {
        if (event.isTrusted) this.canvas.setPointerCapture(event.pointerId);
        draw(event);
      });
      this.canvas.addEventListener("pointermove", draw);
      this.canvas.addEventListener("keydown", (event) => {
        const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
        if (event.key in moves) this.at = this.at.map((v, i) => Math.max(0, Math.min(this.shape[i] - 1, v + moves[event.key][i])));
        else if (event.key === " ") this.paint(...this.at);
        else return;
        event.preventDefault();
        event.stopPropagation();
        this.show(true);
      });
      document.getElementById("pad-clear").addEventListener("click", () => this.clear());
    }

    begin(shape) {
      if (String(shape) === String(this.shape)) return;
      this.shape = shape;
      this.at = [Math.floor(shape[0] / 2), Math.floor(shape[1] / 2)];
      this.clear();
    }

    clear() {
      this.pixels = new Array(this.shape[0] * this.shape[1]).fill(0);
      document.getElementById("answer").replaceChildren();
      this.show(false);
    }

    // Ink at a pixel and a little around it, like a pen's.
    paint(row, column) {
      const [height, width] = this.shape;
      for (let i = -1; i <= 1; i++)
        for (let j = -1; j <= 1; j++) {
          const [r, c] = [row + i, column + j];
          if (r < 0 || c < 0 || r >= height || c >= width) continue;
          const ink = i === 0 && j === 0 ? 1 : i === 0 || j === 0 ? (height > 12 ? 0.7 : 0.3) : height > 12 ? 0.3 : 0;
          this.pixels[r * width + c] = Math.max(this.pixels[r * width + c], ink);
        }
      this.show(false);
      this.ask();
    }

    ask() {
      if (this.waiting) return;
      this.waiting = setTimeout(() => {
        this.waiting = null;
        if (this.pixels.some((v) => v > 0)) this.send({ do: "draw", pixels: this.pixels });
      }, 80);
    }

    show(cursor) {
      DR.picture(this.canvas, this.pixels.map((v) => 255 * v), this.shape);
      this.canvas.style.imageRendering = "pixelated";
      if (!cursor) return;
      const context = this.canvas.getContext("2d");
      context.fillStyle = "rgb(217 154 28 / 0.6)";
      context.fillRect(this.at[1], this.at[0], 1, 1);
    }

    answer({ outputs, answer }, names) {
      const bars = DR.make("div", { class: "bars" });
      DR.outputBars(bars, names, outputs);
      document.getElementById("answer").replaceChildren(DR.make("p", {}, "It reads ", DR.make("b", {}, names[answer]), "."), bars);
    }
  };
})();
