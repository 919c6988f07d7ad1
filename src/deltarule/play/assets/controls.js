"use strict";
// The settings: a form of the values that the server offers.
(() => {
  const LABELS = {
    problem: "Data", hidden: "Hidden", activation: "Activation", cost: "Cost", trainer: "Trainer", versus: "Compare",
    eta: "η", versus_eta: "its η", batch_size: "Batch", l2: "λ of L2", seed: "Seed",
  };
  const PROBLEMS = { higham: "ten points", circles: "circles", spirals: "spirals", xor: "exclusive or", curve: "a curve", points: "own points" };

  DR.Settings = class {
    constructor(send, points) {
      this.form = document.getElementById("settings");
      this.send = send;
      this.points = points;
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("change", (event) => this.changed(event.target));
    }

    layout(layout) {
      const { choices, known, problem } = layout, given = problem.given;
      const focused = document.activeElement && document.activeElement.name;
      const select = (name, values, chosen, label = (v) => v) =>
        this.field(name, DR.make("select", { name, "data-testid": `set-${name}` }, ...values.map((value) => {
          const option = DR.make("option", { value: value ?? "" }, label(value));
          option.selected = value === chosen;
          return option;
        })));
      const number = (name, value, step, least) => {
        const input = DR.make("input", { type: "number", name, step, min: least, "data-testid": `set-${name}` });
        input.value = value;
        return this.field(name, input);
      };
      const hidden = DR.make("input", { type: "text", name: "hidden", inputmode: "numeric", "data-testid": "set-hidden", title: "Sizes of the hidden layers, such as 8,8" });
      hidden.value = choices.hidden.join(",");
      const names = [choices.trainer, choices.versus];
      this.form.replaceChildren(...[
        select("problem", known.problem, problem.name, (name) => PROBLEMS[name] || name),
        given ? null : this.field("hidden", hidden),
        given ? null : select("activation", known.activation, choices.activation),
        given ? null : select("cost", known.cost, choices.cost),
        select("trainer", known.trainer, choices.trainer),
        known.with_eta.includes(choices.trainer) ? number("eta", choices.eta, "any", 0) : null,
        select("versus", [null, ...known.trainer], choices.versus, (name) => name ?? "none"),
        known.with_eta.includes(choices.versus) ? number("versus_eta", choices.versus_eta, "any", 0) : null,
        names.some((name) => known.of_batches.includes(name)) ? number("batch_size", choices.batch_size, 1, 1) : null,
        names.some((name) => name && name !== "bayesian") ? number("l2", choices.l2, "any", 0) : null,
        given ? null : number("seed", choices.seed, 1, 0),
      ].filter(Boolean));
      if (focused && this.form.elements[focused]) this.form.elements[focused].focus();
      document.getElementById("points-help").hidden = problem.name !== "points";
    }

    field(name, input) {
      return DR.make("label", {}, LABELS[name], input);
    }

    changed(input) {
      const { name, value } = input;
      if (name === "problem") {
        if (value === "points") this.points.start();
        else this.send({ do: "choose", problem: value });
        return;
      }
      // What is not a number is sent as it was typed, so that the answer can name it.
      const typed = (text) => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text));
      const read = {
        hidden: () => value.split(/[\s,;-]+/).filter(Boolean).map(typed),
        versus: () => value || null,
        eta: typed, versus_eta: typed, l2: typed, batch_size: typed, seed: typed,
      }[name];
      this.send({ do: "change", settings: { [name]: read ? read(value) : value } });
    }
  };
})();
