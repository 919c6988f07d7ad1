"use strict";
// Set the formulas of `deltarule trace` as MathML, and format numbers. Nothing is computed here.
const DR = { digits: 4 };

DR.NAMES = { delta: "δ", sigma: "σ", lambda: "λ", eta: "η", beta: "β", mu: "μ", eps: "ε", sum: "∑", "sigma'": "σ′", "∇": "∇" };
const MATHML = "http://www.w3.org/1998/Math/MathML";

// An element with attributes and children; a child is a node or a text.
DR.make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

DR.svg = (name, attributes = {}) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

const mathml = (name, ...children) => {
  const element = document.createElementNS(MATHML, name);
  element.append(...children);
  return element;
};

// A formula and the number of its equation, such as "BP2".
DR.parts = (text) => {
  const match = / {3,}\(([^()]*)\)\s*$/.exec(text);
  return match ? { formula: text.slice(0, match.index), tag: match[1] } : { formula: text, tag: "" };
};

const TOKEN = /\s+|[\p{L}∇∂]+'?|\d+(?:\.\d+)?|[\^_]\{[^}]*\}|[\^_]\(|[\^_][\p{L}\d]+|./gu;

DR.typeset = (text) => {
  const row = mathml("mrow");
  let nodes = [];
  for (const token of text.match(TOKEN) || []) {
    const last = nodes[nodes.length - 1];
    if (/^[\^_]./.test(token) && last && token[1] !== "(") {
      const script = leaf(token.slice(1).replace(/[{}]/g, ""));
      const above = token[0] === "^";
      const other = above ? "msub" : "msup";
      const both = last.node.localName === other;
      const [base, first] = both ? [...last.node.childNodes] : [last.node, null];
      const children = both ? (above ? [base, first, script] : [base, script, first]) : [base, script];
      last.node = mathml(both ? "msubsup" : above ? "msup" : "msub", ...children);
    } else if (token.trim()) nodes.push({ node: leaf(token) });
    else nodes.push({ node: mathml("mspace"), space: true });
  }
  nodes = nodes.filter(({ node, space }) => !(space && node.parentNode));
  for (const { node, space } of nodes) {
    if (space) node.setAttribute("width", "0.18em");
    row.append(node);
  }
  const math = mathml("math", row);
  math.setAttribute("aria-label", text);
  return math;
};

const leaf = (token) => {
  if (/^\d/.test(token)) return mathml("mn", token);
  if (token in DR.NAMES) return mathml("mi", DR.NAMES[token]);
  if (/^[\p{L}∇∂]+'?$/u.test(token)) return mathml(token.length > 3 ? "mtext" : "mi", token.replace("'", "′"));
  const sign = mathml("mo", token);
  if (/^[()]$/.test(token)) sign.setAttribute("stretchy", "false"); // otherwise a bracket grows with its index
  return sign;
};

// A number in the chosen number of digits. All its digits are in the title, and for programs in data-value.
DR.format = (value) => {
  if (value === null || value === undefined) return "–";
  if (DR.digits >= 17 || value === 0) return String(value);
  const text = value.toPrecision(DR.digits);
  return text.replace("e+", "e");
};

DR.number = (value, more = "") => {
  const sign = value < 0 ? " minus" : value > 0 ? " plus" : "";
  return DR.make("span", { class: `n${sign}${more && " " + more}`, "data-value": value, title: value }, DR.format(value));
};

// A line of texts and numbers; a text may have indices, as in "z^2_0".
DR.line = (...parts) => {
  const line = DR.make("div", { class: "line" });
  for (const part of parts.flat(9)) {
    if (part instanceof Node) line.append(part);
    else if (typeof part === "number" || part === null) line.append(DR.number(part));
    else line.append(...DR.indexed(part));
  }
  return line;
};

DR.indexed = (text) => {
  const nodes = [];
  for (const piece of text.split(/([\^_]\{?[\p{L}\d,]+\}?)/u)) {
    if (/^[\^_]./.test(piece)) nodes.push(DR.make(piece[0] === "^" ? "sup" : "sub", {}, piece.slice(1).replace(/[{}]/g, "")));
    else if (piece) nodes.push(piece.replace(/\b(delta|sigma'|sigma|eta|lambda)(?![\p{L}])/gu, (name) => DR.NAMES[name]));
  }
  return nodes;
};
