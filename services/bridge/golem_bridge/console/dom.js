"use strict";
// Building and changing the page. Everything the API says is a stranger's text: it becomes text, never markup.

function byId(id) {
  return document.getElementById(id);
}

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function drawing(tag, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function setTitle(target, text) {
  if (target.title !== text) target.title = text;
}

function setClass(target, className) {
  if (target.className !== className) target.className = className;
}

function show(target, shown) {
  target.hidden = !shown;
}

// Keeps one child per item, in order, so that what one reads, selects or has opened stays where it is.
// `make(item)` gives a part with a root and an update(item).
class Keyed {
  constructor(parent, make) {
    this.parent = parent;
    this.make = make;
    this.parts = new Map();
  }

  sync(items, keyOf) {
    const kept = new Map();
    let place = this.parent.firstChild;
    for (const item of items) {
      const key = keyOf(item);
      const part = this.parts.get(key) ?? this.make(item);
      this.parts.delete(key);
      kept.set(key, part);
      if (part.root === place) place = place.nextSibling;
      else this.parent.insertBefore(part.root, place);
      part.update(item);
    }
    for (const part of this.parts.values()) part.root.remove();
    this.parts = kept;
  }
}
