"use strict";
// Asks /live once a second, and shows what it says. All text is set as text.

const $ = (id) => document.getElementById(id);
const count = new Intl.NumberFormat("en");

function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

function set(id, text, bad) {
  const e = $(id);
  if (e.textContent !== String(text)) e.textContent = text;
  if (bad !== undefined) e.classList.toggle("bad", bad);
}

// Tells what is shown from what came: only what changes is made again, so that what somebody selects stays.
const shown = new Map();
function show(id, items, row) {
  const now = JSON.stringify(items);
  if (shown.get(id) === now) return;
  shown.set(id, now);
  $(id).replaceChildren(...(items.length > 0 ? items.map(row) : [element("p", { class: "none" }, "none yet")]));
}

const ms = (n) => n >= 1000 ? (n / 1000).toFixed(1) + " s" : n >= 10 ? n.toFixed(0) + " ms" : n.toFixed(2) + " ms";

function clock(at) {
  return element("time", { datetime: at }, new Date(at).toLocaleTimeString("en-GB"));
}

function since(seconds) {
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    const n = Math.floor(seconds / size);
    if (n > 0) return n + " " + unit + (n > 1 ? "s" : "");
  }
  return Math.floor(seconds) + " s";
}

function fields(all, none) {
  if (!all || all.length === 0) return element("span", { class: "none" }, none);
  return element("span", {}, ...all.flatMap((f) =>
    [element("span", { class: "field" }, element("b", {}, f.name + " "), element("span", { class: "number" }, f.text)), " "]));
}

// What a prediction repeats of its record is shown once.
const has = (record, field) => record && record.some((f) => f.name === field.name && f.text === field.text);

function counts(id, items) {
  const most = Math.max(1, ...items.map((c) => c.n));
  show(id, items, (c) => {
    const bar = element("div", { class: "bar" });
    bar.style.width = 100 * c.n / most + "%";
    return element("div", {}, element("code", {}, c.name || "(the document)"), element("span", { class: "number" }, count.format(c.n)), bar);
  });
}

const SVG = "http://www.w3.org/2000/svg";
function rect(x, y, width, height, kind) {
  const r = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y, width, height, class: kind })) r.setAttribute(name, value);
  return r;
}

function chart(seconds) {
  const width = 600, height = 120, bar = width / seconds.length;
  const most = Math.max(...seconds.map((s) => s.predictions + s.rejected));
  const parts = [];
  seconds.forEach((s, i) => {
    const size = (n) => n > 0 ? Math.max(2, (height - 4) * n / most) : 0; // one of many is still to be seen
    const ok = size(s.predictions), bad = size(s.rejected);
    if (ok > 0) parts.push(rect(i * bar + 1, height - ok, bar - 2, ok, "ok"));
    if (bad > 0) parts.push(rect(i * bar + 1, height - ok - bad, bar - 2, bad, "bad"));
  });
  const axis = document.createElementNS(SVG, "path");
  axis.setAttribute("class", "axis");
  axis.setAttribute("d", `M0 ${height - .5}H${width}`);
  $("chart").replaceChildren(axis, ...parts);
  set("peak", count.format(most));
}

function stages(all) {
  const sum = all.reduce((n, s) => n + s.ms, 0);
  const share = (s) => sum > 0 ? 100 * s.ms / sum : 0;
  show("stages", sum > 0 ? all : [], (s) => {
    const part = element("div", { class: "c" + all.indexOf(s), title: s.name + " " + ms(s.ms) });
    part.style.width = share(s) + "%";
    return part;
  });
  const names = $("stage-names");
  if (sum === 0) return names.replaceChildren(element("span", {}, "nothing in the last minute"));
  names.replaceChildren(...all.map((s, i) =>
    element("span", {}, element("span", { class: "key c" + i }), s.name + " " + share(s).toFixed(share(s) < 10 ? 1 : 0) + " %")));
}

function model(l) {
  const m = l.models && l.models[0];
  if (!m) return;
  set("run", m.run_id);
  set("estimator", m.estimator || "");
  set("alias", m.alias || "");
  $("behind").hidden = !l.behind;
  set("since", new Date(m.since).toLocaleTimeString("en-GB"));
  set("age", (l.model_age_s !== null ? "; logged " + since(l.model_age_s) + " before" : "")
    + (l.iterator_age_ms !== null ? "; the last record waited " + ms(l.iterator_age_ms) : ""));
  show("models", l.models, (m, i) => element("div", {}, clock(m.since),
    element("span", {}, element("code", {}, m.run_id)),
    element("span", {}, [m.estimator, m.alias, i === 0 ? "serves" : ""].filter(Boolean).join(", "))));
}

function render(l) {
  document.title = "skiff: " + l.title;
  set("title", l.title);
  if (l.links) show("links", l.links, (k) => element("a", { href: k.path }, k.name));
  model(l);
  const t = l.totals, minute = l.minute, ran = Math.min(60, Math.max(1, (new Date(l.now) - new Date(l.started)) / 1000));
  const rate = minute.sum.records / ran;
  set("rate", rate >= 10 ? count.format(Math.round(rate)) : rate.toFixed(1));
  set("predictions", count.format(t.predictions));
  set("rejected", count.format(t.rejected), t.rejected > 0);
  set("failed", count.format(t.failed), t.failed > 0);
  set("p50", minute.sum.invocations > 0 ? ms(minute.p50_ms) : "–");
  set("p99", minute.sum.invocations > 0 ? ms(minute.p99_ms) : "–");
  for (const [id, n] of [["invocations", t.invocations], ["records", t.records], ["dead", t.dead_letters], ["unsent", t.unsent], ["retries", t.retries]]) set(id, count.format(n));
  set("started", new Date(l.started).toLocaleTimeString("en-GB"));
  chart(minute.seconds);
  stages(minute.stages);
  counts("unknown", l.unknown);
  counts("missing", l.missing);
  counts("letters", l.dead_letters);
  $("predicted-section").hidden = $("rejections-section").hidden = !l.payloads;
  show("predicted", l.predicted || [], (p) => element("div", {}, clock(p.at), fields(p.record, "packed, or large"), fields(p.prediction && p.prediction.filter((f) => !has(p.record, f)), "large")));
  show("rejections", l.rejections || [], (r) => element("div", {}, clock(r.at),
    element("span", {}, element("span", { class: "reason" }, r.reason), " ", element("code", {}, r.field || ""), " ",
      [r.detail, r.expected && r.expected + " is expected", r.found && r.found + " is there"].filter(Boolean).join(", ")),
    element("span", {}, [r.id ? "id " + r.id : r.key ? "key " + r.key : "", r.dead_lettered ? "dead-lettered" : ""].filter(Boolean).join(", "))));
  $("failures-section").hidden = !l.failures;
  show("failures", l.failures || [], (f) => element("div", {}, clock(f.at), element("span", { class: "wide" }, f.text)));
}

async function ask() {
  const state = $("state");
  try {
    const response = await fetch("live");
    if (!response.ok) throw new Error(response.statusText);
    render(await response.json());
    state.className = "state live";
    set("state", "live");
  } catch {
    state.className = "state lost";
    set("state", "no answer");
  }
  setTimeout(ask, 1000);
}
ask();
