'use strict';
// Times are in nanoseconds since the trace began.
const $ = id => document.getElementById(id);
const END = Math.max(1, DATA.end), MANY = -1000000;
const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dark = matchMedia('(prefers-color-scheme: dark)');
const escape = text => String(text).replace(/[&<>"]/g, c => '&#' + c.charCodeAt(0) + ';');
const number = n => n.toLocaleString('en-US').replace(/,/g, '\u202f');

function time(t) {
  const a = Math.abs(t);
  const show = (v, unit) => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2)) + '\u00a0' + unit;
  const sign = t < 0 ? '−' : '';
  return a === 0 ? '0' : a >= 1e9 ? sign + show(a / 1e9, 's') : a >= 1e6 ? sign + show(a / 1e6, 'ms')
    : a >= 1e3 ? sign + show(a / 1e3, 'µs') : sign + a.toFixed(0) + '\u00a0ns';
}

// A track's whiles: when each begins, when it ends, and what it is.
function unpack(track) {
  const n = track.s.length / 3, from = new Float64Array(n), to = new Float64Array(n), what = new Float64Array(n);
  for (let i = 0, t = 0; i < n; i++) {
    from[i] = t + track.s[3 * i];
    to[i] = t = from[i] + track.s[3 * i + 1];
    what[i] = track.s[3 * i + 2];
  }
  return Object.assign(track, {n, from, to, what, s: null});
}
for (const tracks of [DATA.P, DATA.M, DATA.G]) tracks.forEach(unpack);

// The first while that ends behind a time.
function find(track, t) {
  let low = 0, high = track.n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (track.to[middle] > t) high = middle; else low = middle + 1;
  }
  return low;
}

// --- the rows -------------------------------------------------------------------------
const GUTTER = innerWidth < 760 ? 58 : 84, AXIS = 26, EDGE = 4;
let moreGoroutines = DATA.G.length <= 24, rows = [];
function layRows() {
  rows = [];
  let y = AXIS;
  const head = text => { rows.push({y, h: 22, text}); y += 22; };
  const row = (kind, track, h, label) => { rows.push({y, h, kind, track, label}); y += h + 3; };
  head('Ps: what runs');
  for (const p of DATA.P) row('P', p, 24, 'P ' + p.id);
  y += 4;
  head('Ms: threads, and the P that each has');
  for (const m of DATA.M) row('M', m, 15, 'M ' + m.id);
  y += 4;
  const shown = moreGoroutines ? DATA.G : DATA.G.slice(0, 16);
  head('Goroutines' + (DATA.G.length < DATA.goroutines ? ': ' + DATA.G.length + ' of ' + number(DATA.goroutines) : ''));
  for (const g of shown) row('G', g, 15, 'G ' + g.id);
  if (shown.length < DATA.G.length) {
    rows.push({y, h: 22, more: true, text: '▸ ' + (DATA.G.length - shown.length) + ' more'});
    y += 22;
  }
  return y + 6;
}
const rowOf = (kind, id) => rows.find(row => row.kind === kind && row.track.id === id);

// --- colours --------------------------------------------------------------------------
let colours;
function setColours() {
  colours = {};
  for (const name of ['page', 'panel', 'text', 'dim', 'line', 'running', 'runnable', 'waiting', 'syscall', 'many']) colours[name] = style('--' + name);
}
const hue = id => (id * 137.508) % 360;
const hsl = id => 'hsl(' + hue(id).toFixed(0) + (dark.matches ? ' 48% 42%)' : ' 62% 68%)');
const ofP = p => 'hsl(' + ((p * 67 + 205) % 360) + (dark.matches ? ' 40% 38%)' : ' 48% 76%)');
function colour(kind, what) {
  if (what === MANY) return colours.many;
  if (kind === 'P') return what < 0 ? colours.syscall : hsl(what);
  if (kind === 'M') return what < 0 ? colours.waiting : ofP(what);
  return what >= 0 ? colours.running : what === -1 ? colours.runnable : what === -2 ? colours.syscall : colours.waiting;
}
function name(kind, what) {
  if (what === MANY) return 'many';
  if (kind === 'P') return what < 0 ? 'G ' + -what + ' in a system call' : 'G ' + what;
  if (kind === 'M') return what < 0 ? 'asleep' : 'P ' + what;
  return what >= 0 ? 'running on P ' + what : what === -1 ? 'runnable' : what === -2 ? 'in a system call'
    : DATA.reasons[-3 - what] || 'waiting';
}
