"use strict";
// A small step chart over time, with a reading under the pointer.

const CHART = {width: 1000, height: 100, top: 8};

class Chart {
  // `read(point)` gives the main value, `hint(point)` a second, dotted one or null; `label(point)` says both.
  constructor({className, title, read, hint = null, label, scale, top}) {
    Object.assign(this, {read, hint, label, scale, topText: top});
    this.points = [];
    this.root = element("figure", className);
    const caption = this.root.appendChild(element("figcaption"));
    caption.appendChild(element("span", "", title));
    this.reading = caption.appendChild(element("span"));
    this.plot = this.root.appendChild(element("div", "plot"));
    const box = {viewBox: `0 0 ${CHART.width} ${CHART.height}`, preserveAspectRatio: "none", "aria-hidden": "true"};
    const svg = this.plot.appendChild(drawing("svg", box));
    svg.appendChild(drawing("line", {class: "grid", x1: 0, x2: CHART.width, y1: CHART.top, y2: CHART.top}));
    this.area = svg.appendChild(drawing("path", {class: "area"}));
    this.dots = svg.appendChild(drawing("path", {class: "hint"}));
    this.edge = svg.appendChild(drawing("path", {class: "edge"}));
    this.cursor = svg.appendChild(drawing("line", {class: "cursor", y1: 0, y2: CHART.height, visibility: "hidden"}));
    this.top = this.plot.appendChild(element("span", "top"));
    const axis = this.root.appendChild(element("div", "axis"));
    this.from = axis.appendChild(element("span"));
    this.to = axis.appendChild(element("span"));
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => this.rest());
  }

  update(points, now) {
    this.points = points;
    const highest = Math.max(...points.map((point) => Math.max(this.read(point), this.hint ? this.hint(point) : 0)));
    this.most = this.scale(highest);
    const first = points[0].at;
    const last = points[points.length - 1].at;
    this.span = Math.max(1, last - first);
    const line = this.steps(this.read);
    this.edge.setAttribute("d", line);
    this.area.setAttribute("d", `${line}V${CHART.height}H0Z`);
    this.dots.setAttribute("d", this.hint ? this.steps(this.hint) : "");
    setText(this.top, this.topText(this.most));
    setText(this.from, moment(first, now, this.span < 600));
    setText(this.to, Math.abs(now - last) < 60 ? "now" : moment(last, now, this.span < 600));
    if (this.cursor.getAttribute("visibility") === "hidden") this.rest();
  }

  x(at) {
    return ((at - this.points[0].at) / this.span) * CHART.width;
  }

  y(value) {
    return CHART.height - (value / this.most) * (CHART.height - CHART.top);
  }

  steps(read) {
    const parts = this.points.map((point, index) => {
      const height = this.y(read(point)).toFixed(2);
      return index ? `H${this.x(point.at).toFixed(2)}V${height}` : `M0 ${height}`;
    });
    return `${parts.join("")}H${CHART.width}`;
  }

  point(event) {
    if (!this.points.length) return;
    const box = this.plot.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const at = this.points[0].at + share * this.span;
    const found = this.points.findLast((point) => point.at <= at) ?? this.points[0];
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, share * CHART.width);
    this.cursor.setAttribute("visibility", "visible");
    this.say(found, clockTime(at));
  }

  rest() {
    this.cursor.setAttribute("visibility", "hidden");
    if (this.points.length) this.say(this.points[this.points.length - 1], "");
  }

  say(point, when) {
    this.reading.replaceChildren(...(when ? [`${when}  `] : []), element("b", "", this.label(point)));
  }
}

// The next round number for counts: at least one line above none.
function countScale(highest) {
  return Math.max(1, highest);
}

// 1, 2 or 5 times a power of ten, so that the top line carries a number one can read.
function roundScale(highest) {
  if (highest <= 0) return 0.001;
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= highest) ?? 10 * power;
}
