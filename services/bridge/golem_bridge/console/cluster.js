"use strict";
// One cluster: budget, charts, nodes.

const PENDING = new Set(["requested", "negotiating", "agreed", "deploying", "starting", "bootstrapping"]);
const GOOD_ENDS = new Set(["requested", "shutdown"]);

const isEnded = (node) => node.state === "terminated";
const isRented = (node) => node.price_per_hour !== null && !isEnded(node);

function pricePerHour(nodes) {
  return nodes.filter(isRented).reduce((sum, node) => sum + number(node.price_per_hour), 0);
}

function countsOf(nodes) {
  const running = nodes.filter((node) => node.state === "running").length;
  const pending = nodes.filter((node) => PENDING.has(node.state)).length;
  const ending = nodes.filter((node) => node.state === "terminating").length;
  return {running, pending, ending};
}

class NodeRow {
  constructor() {
    this.root = element("tr");
    const node = this.cell("node");
    this.name = node.appendChild(element("span", "mono"));
    this.type = node.appendChild(element("span", "type"));
    const says = this.cell("says");
    this.state = says.appendChild(element("span", "state"));
    this.message = says.appendChild(element("bdi", "message"));
    const provider = this.cell("provider");
    this.provider = provider.appendChild(element("bdi", "label")); // a stranger's choice of characters
    this.address = provider.appendChild(element("span", "mono"));
    this.age = this.cell("age number");
    this.price = this.cell("price number", "GLM/h");
    this.spent = this.cell("spent number", "spent");
  }

  cell(className, label = null) {
    const made = this.root.appendChild(element("td", className));
    if (label) made.dataset.label = label;
    return made;
  }

  update(node) {
    this.node = node;
    setText(this.name, shortNode(node.node_id));
    setTitle(this.name, `${node.node_id} ${node.ip}`);
    setText(this.type, node.node_type);
    setText(this.state, isEnded(node) ? endText(node) : node.state);
    setClass(this.state, `state ${stateClass(node)}`);
    setText(this.message, node.state === "running" ? "" : node.message);
    setText(this.provider, node.provider_name ?? "–");
    setText(this.address, shortAddress(node.provider_id));
    setTitle(this.address, node.provider_id ?? "");
    setText(this.price, glm(node.price_per_hour));
    setTitle(this.price, node.price_start === null ? "" : `all threads busy; ${node.price_start} GLM once at the start`);
    setText(this.spent, glm(node.spent));
    setTitle(this.spent, `${node.spent} GLM`);
  }

  tick(now) {
    setText(this.age, duration((this.node.ended_at ?? now) - this.node.created_at));
  }
}

function stateClass(node) {
  if (node.state === "running") return "running";
  if (PENDING.has(node.state)) return "pending";
  return GOOD_ENDS.has(node.reason) || node.reason === null ? "" : "failed";
}

function endText(node) {
  return node.reason === null || GOOD_ENDS.has(node.reason) ? "ended" : node.reason.replaceAll("_", " ");
}

class NodeTable {
  constructor() {
    this.root = element("table");
    const head = this.root.appendChild(element("thead")).appendChild(element("tr"));
    const columns = [["Node"], ["State"], ["Provider"], ["Age", "number"], ["GLM/h", "number"], ["Spent, GLM", "number"]];
    for (const [title, className] of columns) {
      const cell = head.appendChild(element("th", className, title));
      cell.scope = "col";
    }
    this.rows = new Keyed(this.root.appendChild(element("tbody")), () => new NodeRow());
  }

  update(nodes) {
    this.rows.sync(nodes, (node) => node.node_id);
  }

  tick(now) {
    for (const row of this.rows.parts.values()) row.tick(now);
  }
}

class Budget {
  constructor() {
    this.root = element("div");
    this.bar = this.root.appendChild(element("div", "bar"));
    this.spent = this.bar.appendChild(element("span", "spent"));
    this.reserved = this.bar.appendChild(element("span", "reserved"));
    const legend = this.root.appendChild(element("div", "legend"));
    this.texts = {};
    for (const [key, word] of [["spent", "spent"], ["reserved", "reserved"], ["left", "left"]]) {
      const entry = legend.appendChild(element("span"));
      entry.appendChild(element("span", `key ${key}`));
      this.texts[key] = entry.appendChild(element("b"));
      this.texts[`${key}-word`] = entry.appendChild(element("span", "", ` ${word}`));
    }
    this.lasts = legend.appendChild(element("span", "lasts"));
  }

  update(cluster) {
    const budget = number(cluster.budget);
    const accepted = number(cluster.accepted);
    const reserved = Math.max(0, number(cluster.committed) - accepted);
    const left = Math.max(0, budget - accepted - reserved);
    const percent = (part) => `${budget > 0 ? Math.min(100, (100 * part) / budget) : 0}%`;
    this.spent.style.width = percent(accepted);
    this.reserved.style.width = percent(reserved);
    this.bar.classList.toggle("low", budget > 0 && accepted / budget > 0.9);
    setText(this.texts.spent, glm(accepted));
    setText(this.texts.reserved, glm(reserved));
    setText(this.texts.left, glm(left));
    setText(this.texts["left-word"], ` left of a budget of ${glm(budget)} GLM`);
    const price = pricePerHour(cluster.nodes);
    setText(this.lasts, price > 0 ? `lasts about ${lasting((budget - accepted) / price)} at ${glm(price)} GLM/h` : "");
  }
}

class ClusterCard {
  constructor(cluster) {
    this.root = element("details", "cluster");
    this.root.open = cluster.state !== "closed";
    const summary = this.root.appendChild(element("summary"));
    this.name = summary.appendChild(element("span", "name"));
    this.state = summary.appendChild(element("span", "state"));
    this.facts = summary.appendChild(element("span", "facts"));
    this.cost = summary.appendChild(element("span", "cost"));
    const body = this.root.appendChild(element("div", "body"));
    this.budget = new Budget();
    this.charts = element("div", "charts");
    this.nodeChart = new Chart({
      className: "nodes", title: "Nodes", read: (point) => point.running, hint: (point) => point.nodes,
      label: nodeLabel, scale: countScale, top: String,
    });
    this.spendChart = new Chart({
      className: "spend", title: "Spent", read: (point) => number(point.spent),
      label: (point) => `${glm(point.spent)} GLM`, scale: roundScale, top: (most) => `${glm(most)} GLM`,
    });
    this.charts.append(this.nodeChart.root, this.spendChart.root);
    show(this.charts, false);
    this.table = new NodeTable();
    this.ended = element("details", "ended");
    this.endedTitle = this.ended.appendChild(element("summary"));
    this.endedTable = new NodeTable();
    const bill = element("p", "hints");
    bill.append("What each cost: ", element("code", "", `ray-on-golem bill ${cluster.name}`));
    this.ended.append(this.endedTable.root, bill);
    this.hints = element("p", "hints");
    this.hints.append("Ray’s dashboard: ", element("code", "", "ray dashboard golem-cluster.yaml"), ", then ");
    const link = this.hints.appendChild(element("a", "", "127.0.0.1:8265"));
    Object.assign(link, {href: "http://127.0.0.1:8265/", target: "_blank", rel: "noreferrer noopener"});
    body.append(this.budget.root, this.charts, this.table.root, this.ended, this.hints);
  }

  get wantsHistory() {
    return this.root.open && (this.cluster.state !== "closed" || this.charts.hidden);
  }

  update(cluster) {
    this.cluster = cluster;
    const {running, pending} = countsOf(cluster.nodes);
    const closed = cluster.state === "closed";
    setText(this.name, cluster.name);
    setText(this.state, cluster.state);
    setClass(this.state, `state ${cluster.state === "active" ? "running" : closed ? "" : "pending"}`);
    const workers = `head and up to ${plural(cluster.max_workers, "worker")}`;
    const nodes = closed ? plural(cluster.nodes_ended, "node") : workers;
    setText(this.facts, `${ordinal(cluster.incarnation)} start · ${nodes}`);
    const amount = element("b", "", closed ? glm(cluster.paid) : glm(cluster.accepted));
    this.cost.replaceChildren(amount, closed ? " GLM paid" : ` of ${glm(cluster.budget)} GLM spent`);
    show(this.budget.root, !closed);
    this.budget.update(cluster);
    const live = [...cluster.nodes.filter((node) => !isEnded(node)), ...cluster.earlier];
    const ended = cluster.nodes.filter(isEnded).reverse();
    this.table.update(live);
    show(this.table.root, live.length > 0);
    this.endedTable.update(ended);
    show(this.endedTable.root, ended.length > 0);
    const newest = ended.length > 0 && ended.length < cluster.nodes_ended ? `, the last ${ended.length} of them` : "";
    setText(this.endedTitle, `${plural(cluster.nodes_ended, "node")} ended${newest}`);
    show(this.ended, cluster.nodes_ended > 0);
    show(this.hints, running + pending > 0);
  }

  updateHistory(points, now) {
    show(this.charts, points.length > 0);
    if (!points.length) return;
    this.nodeChart.update(points, now);
    this.spendChart.update(points, now);
  }

  tick(now) {
    this.table.tick(now);
    this.endedTable.tick(now);
  }
}

function nodeLabel(point) {
  const waiting = point.nodes - point.running;
  return `${point.running} running${waiting > 0 ? `, ${waiting} on the way` : ""}`;
}

function ordinal(count) {
  const ending = count % 100 > 10 && count % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][count % 10] ?? "th";
  return `${count}${ending}`;
}
