"use strict";
// How values read: amounts, times, ids.

// GLM of an API's decimal string: four figures that count, never an exponent; "5" only if it is exactly that.
function glm(text) {
  if (text === null || text === undefined) return "–";
  const amount = Number(text);
  if (!Number.isFinite(amount)) return "–";
  if (amount === 0) return "0";
  const places = Math.max(0, Math.min(12, 3 - Math.floor(Math.log10(Math.abs(amount)))));
  const rounded = amount.toFixed(places);
  return rounded.includes(".") && Number(rounded) === amount ? rounded.replace(/0+$/, "").replace(/\.$/, "") : rounded;
}

function number(text) {
  const value = Number(text ?? 0);
  return Number.isFinite(value) ? value : 0;
}

// Two units at most: 41 s, 3 m 12 s, 2 h 5 m, 3 d 4 h.
function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

// How long money lasts; rounded down: rather too little than too much.
function lasting(hours) {
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  if (hours >= 2) return `${Math.floor(hours)} h`;
  return `${Math.floor(hours * 60)} min`;
}

function clockTime(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"});
}

// The day too, once it is not today's; without seconds where they say nothing.
function moment(seconds, now, fine = true) {
  const day = (at) => new Date(at * 1000).toLocaleDateString([], {day: "numeric", month: "short"});
  const time = clockTime(seconds);
  return day(seconds) === day(now) ? time.slice(0, fine ? 8 : 5) : `${day(seconds)} ${time.slice(0, 5)}`;
}

function shortAddress(address) {
  return address && address.length > 14 ? `${address.slice(0, 6)}…${address.slice(-4)}` : address ?? "";
}

// Without the cluster's name and the number of its start.
function shortNode(nodeId) {
  return nodeId ? nodeId.replace(/^.*-(?=(head|worker)-)/, "") : "";
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
