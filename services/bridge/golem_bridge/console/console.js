"use strict";
// The page's life: the token, asking the bridge, showing what it says.

const POLL = 3000; // milliseconds between questions
const POLL_HIDDEN = 30000;
const TIMEOUT = 10000;
const HISTORY_EVERY = 9000;
const WALLET_EVERY = 60000; // yagna has to be asked
const EVENTS_MISSING = 60000; // a bridge without events is asked again that late
const MOST_EVENTS = 40;
const TOKEN = "bridge-token";
const NETWORKS = {devnet: "devnet · free", hoodi: "hoodi · test network", polygon: "polygon · real money"};

const state = {timer: 0, skew: 0, heard: 0, failure: "", history: 0, wallet: 0, events: 0, round: 0};
const makeCard = (cluster) => new ClusterCard(cluster);
const open = new Keyed(byId("clusters"), makeCard);
const past = new Keyed(byId("past-clusters"), makeCard);
const events = new Keyed(byId("event-list"), () => new EventLine());
const figures = makeFigures();

class RefusedError extends Error {}
class MissingError extends Error {}

// A token in the address is taken out of it at once: fragments are never sent, but they are shown and remembered.
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return false;
  history.replaceState(null, "", location.pathname);
  sessionStorage.setItem(TOKEN, given.trim());
  return true;
}

async function ask(path) {
  const answer = await fetch(path, {
    headers: {Authorization: `Bearer ${sessionStorage.getItem(TOKEN)}`},
    cache: "no-store", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(TIMEOUT),
  });
  if (answer.status === 401) throw new RefusedError("The bridge does not know this token.");
  if (answer.status === 404) throw new MissingError(`has no ${path}`);
  if (!answer.ok) throw new Error(`answers ${answer.status}`);
  return answer.json();
}

function askForToken(refusal = "") {
  clearTimeout(state.timer);
  state.round += 1;
  sessionStorage.removeItem(TOKEN);
  for (const id of ["view", "network", "wallet", "links"]) show(byId(id), false);
  for (const list of [open, past, events]) list.sync([], String);
  setText(byId("live"), "");
  setText(byId("refusal"), refusal);
  show(byId("refusal"), refusal !== "");
  show(byId("door"), true);
  byId("token").focus();
}

function start() {
  clearTimeout(state.timer);
  if (!sessionStorage.getItem(TOKEN)) return askForToken();
  Object.assign(state, {history: 0, wallet: 0, events: 0, heard: 0, failure: ""});
  show(byId("door"), false);
  setText(byId("live"), "asking the bridge");
  return pollNow();
}

// A new round: what an older one is still waiting for is ignored.
function pollNow() {
  if (!sessionStorage.getItem(TOKEN)) return undefined;
  clearTimeout(state.timer);
  state.round += 1;
  return poll(state.round);
}

async function poll(round) {
  try {
    await refresh(round);
    if (round !== state.round) return;
    Object.assign(state, {heard: Date.now(), failure: ""});
  } catch (error) {
    if (round !== state.round) return;
    if (error instanceof RefusedError) {
      askForToken(error.message);
      return;
    }
    state.failure = error.name === "TypeError" || error.name === "TimeoutError" ? "does not answer" : error.message;
  }
  tick();
  state.timer = setTimeout(() => poll(round), document.hidden ? POLL_HIDDEN : POLL);
}

async function refresh(round) {
  const [appliance, {clusters, ending}] = await Promise.all([ask("/v1/appliance"), ask("/v1/clusters")]);
  if (round !== state.round) return;
  state.skew = appliance.now - Date.now() / 1000;
  showAppliance(appliance);
  showClusters(clusters.map((cluster) => ({...cluster, earlier: Object.hasOwn(ending, cluster.name) ? ending[cluster.name] : []})));
  show(byId("view"), true);
  await Promise.all([refreshHistory(round), refreshEvents(round), refreshWallet(round)]);
}

async function refreshHistory(round) {
  const due = Date.now() - state.history >= HISTORY_EVERY;
  const cards = [...open.parts.values(), ...past.parts.values()].filter((card) => card.wantsHistory);
  const wanted = cards.filter((card) => due || card.charts.hidden);
  if (due) state.history = Date.now();
  for (const card of wanted) {
    const {name, incarnation} = card.cluster;
    const told = await ask(`/v1/clusters/${encodeURIComponent(name)}/history`);
    if (round !== state.round) return;
    if (told.incarnation === incarnation) card.updateHistory(told.points, bridgeNow());
  }
}

// The amount is worth showing, its absence is not worth a warning: whatever ails yagna is told elsewhere.
async function refreshWallet(round) {
  if (Date.now() - state.wallet < WALLET_EVERY) return;
  state.wallet = Date.now();
  const told = await ask("/v1/wallet").catch(() => null);
  if (round === state.round) setText(byId("wallet-amount"), told ? `${glm(told.amount)} GLM` : "");
}

async function refreshEvents(round) {
  if (Date.now() < state.events) return;
  try {
    const told = await ask(`/v1/events?limit=${MOST_EVENTS}`);
    if (round !== state.round) return;
    events.sync(lastEvents(told.events), (event) => event.key);
    show(byId("events"), told.events.length > 0);
  } catch (error) {
    if (!(error instanceof MissingError)) throw error;
    state.events = Date.now() + EVENTS_MISSING;
  }
}

// Told oldest first, shown newest first; equal ones are told apart by their place.
function lastEvents(all) {
  const seen = new Map();
  const keyed = all.map((event) => {
    const key = JSON.stringify(event);
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return {...event, key: `${key}${seen.get(key)}`};
  });
  return keyed.reverse().sort((one, other) => seconds(other.at) - seconds(one.at)).slice(0, MOST_EVENTS);
}

function seconds(at) {
  return typeof at === "number" ? at : Date.parse(at) / 1000;
}

class EventLine {
  constructor() {
    this.root = element("li");
    this.time = this.root.appendChild(element("time"));
    this.who = this.root.appendChild(element("span", "who"));
    this.what = this.root.appendChild(element("span", "what"));
  }

  update(event) {
    setText(this.time, moment(seconds(event.at), bridgeNow()));
    setText(this.who, [event.cluster, shortNode(event.node_id)].filter(Boolean).join(" · "));
    setTitle(this.who, event.node_id || event.cluster || "");
    this.what.replaceChildren(element("bdi", "", event.message ?? ""), element("span", "kind", (event.kind ?? "").replaceAll("_", " ")));
  }
}

function showAppliance({network, wallet, grafana_port: grafana, prometheus_port: prometheus}) {
  setText(byId("network"), NETWORKS[network] ?? network);
  setClass(byId("network"), network === "polygon" ? "network real" : "network");
  setText(byId("wallet-address"), shortAddress(wallet));
  setTitle(byId("wallet-address"), wallet);
  for (const [id, port] of [["grafana", grafana], ["prometheus", prometheus]]) {
    show(byId(id), port !== null);
    if (port !== null) byId(id).href = `http://${location.hostname}:${port}/`;
  }
  for (const id of ["network", "wallet", "links"]) show(byId(id), true);
}

// ``earlier`` of a cluster: nodes of its incarnations before that are not gone yet. They cost, too.
function showClusters(clusters) {
  const keyOf = (cluster) => `${cluster.name}/${cluster.incarnation}`;
  const newest = (cluster) => Math.max(cluster.created_at, ...cluster.nodes.map((node) => node.created_at));
  const sorted = [...clusters].sort((one, other) => newest(other) - newest(one));
  const living = sorted.filter((cluster) => cluster.state !== "closed");
  const closed = sorted.filter((cluster) => cluster.state === "closed");
  open.sync(living, keyOf);
  past.sync(closed, keyOf);
  show(byId("none"), living.length === 0);
  show(byId("past"), closed.length > 0);
  showFigures(living, clusters.flatMap((cluster) => [...cluster.nodes, ...cluster.earlier]));
}

function makeFigures() {
  const made = {};
  for (const [key, title] of [["nodes", "Nodes"], ["price", "Price now, at most"], ["spent", "Spent"], ["left", "Left of the budget"]]) {
    const box = byId("figures").appendChild(element("div"));
    box.appendChild(element("dt", "", title));
    const value = box.appendChild(element("dd"));
    const text = value.appendChild(element("span"));
    value.append(" ");
    const unit = value.appendChild(element("span", "unit"));
    made[key] = {text, unit, more: box.appendChild(element("dd", "more"))};
  }
  return made;
}

function showFigures(clusters, nodes) {
  const {running, pending, ending} = countsOf(nodes);
  const sum = (key) => clusters.reduce((total, cluster) => total + number(cluster[key]), 0);
  const [budget, accepted, committed, paid] = ["budget", "accepted", "committed", "paid"].map(sum);
  const price = pricePerHour(nodes);
  const others = [pending && `${pending} starting`, ending && `${ending} ending`].filter(Boolean).join(", ");
  setFigure("nodes", String(running), "running", others || plural(clusters.length, "open cluster"));
  setFigure("price", glm(price), "GLM/h", "with all threads busy");
  setFigure("spent", glm(accepted), "GLM", `${glm(paid)} paid on the chain`);
  setFigure("left", clusters.length ? glm(Math.max(0, budget - committed)) : "–", "GLM", `${glm(Math.max(0, committed - accepted))} more is reserved`);
}

function setFigure(key, text, unit, more) {
  setText(figures[key].text, text);
  setText(figures[key].unit, unit);
  setText(figures[key].more, more);
}

function bridgeNow() {
  return Date.now() / 1000 + state.skew;
}

// Once a second: ages, and how fresh this is.
function tick() {
  if (!sessionStorage.getItem(TOKEN)) return;
  const stale = state.failure !== "";
  const since = state.heard ? `, last heard ${duration((Date.now() - state.heard) / 1000)} ago` : "";
  byId("live").classList.toggle("stale", stale);
  if (stale) setText(byId("live"), `the bridge ${state.failure}${since}`);
  else if (state.heard) setText(byId("live"), "live");
  if (!stale) for (const card of [...open.parts.values(), ...past.parts.values()]) card.tick(bridgeNow());
}

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = byId("token").value.trim();
  byId("token").value = "";
  if (given) {
    sessionStorage.setItem(TOKEN, given);
    start();
  }
});
byId("forget").addEventListener("click", () => askForToken());
addEventListener("hashchange", () => takeToken() && start());
document.addEventListener("visibilitychange", () => !document.hidden && pollNow());
byId("past-clusters").addEventListener("toggle", pollNow, true); // fetches the charts of what was opened
setInterval(tick, 1000);
takeToken();
start();
