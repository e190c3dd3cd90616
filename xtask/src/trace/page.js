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

// --- drawing --------------------------------------------------------------------------
const canvas = $('canvas'), pen = canvas.getContext('2d'), overview = $('overview'), pen2 = overview.getContext('2d');
let from = 0, to = END, chosen = 0, width = 0, height = 0;
const toX = t => GUTTER + (t - from) / (to - from) * (width - GUTTER - EDGE);
const toT = x => from + (x - GUTTER) / (width - GUTTER - EDGE) * (to - from);

function size(canvas, pen, h) {
  const w = canvas.parentNode.clientWidth - (canvas === overview ? parseFloat(getComputedStyle(canvas.parentNode).paddingLeft) * 2 : 0);
  const ratio = Math.min(devicePixelRatio || 1, 2);
  canvas.width = w * ratio;
  canvas.height = h * ratio;
  canvas.style.height = h + 'px';
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return w;
}

function step(span, room) {
  const raw = span / room, base = 10 ** Math.floor(Math.log10(raw));
  return base * [1, 2, 5, 10].find(factor => base * factor >= raw);
}

// A time on the axis: with as many digits as tell it from its neighbours.
function axisTime(t, tick) {
  const [unit, name] = t >= 1e9 ? [1e9, 's'] : t >= 1e6 ? [1e6, 'ms'] : t >= 1e3 ? [1e3, 'µs'] : [1, 'ns'];
  return t === 0 ? '0' : (t / unit).toFixed(Math.max(0, Math.ceil(Math.log10(unit / tick) - 1e-6))) + '\u00a0' + name;
}

function drawRow(row) {
  const {track, kind, y, h} = row;
  const scale = (width - GUTTER - EDGE) / (to - from);
  pen.fillStyle = colours.page;
  pen.fillRect(GUTTER, y, width - GUTTER - EDGE, h);
  let i = find(track, from), dense = -1;
  if (kind === 'M' && !track.n) {
    pen.font = '10px system-ui, sans-serif';
    pen.fillStyle = colours.dim;
    pen.fillText('never had a P: the runtime’s own', GUTTER + 4, y + h / 2 + 0.5);
  }
  pen.font = (h > 18 ? '12px' : '10px') + ' system-ui, sans-serif';
  pen.textBaseline = 'middle';
  for (; i < track.n && track.from[i] < to; i++) {
    const x = Math.max(GUTTER, toX(track.from[i])), end = Math.min(width - EDGE, toX(track.to[i]));
    const what = track.what[i];
    if (end - x < 0.7) {
      // Too narrow to be seen by itself: one stroke a pixel, as many as there may be.
      if (Math.floor(x) === dense) {
        const next = find(track, toT(dense + 1));
        if (next > i) i = Math.max(i, next - 1);
        continue;
      }
      dense = Math.floor(x);
      pen.fillStyle = colour(kind, what);
      pen.globalAlpha = 0.75;
      pen.fillRect(dense, y, 1, h);
      pen.globalAlpha = 1;
      continue;
    }
    dense = -1;
    pen.fillStyle = colour(kind, what);
    pen.fillRect(x, y, Math.max(0.8, end - x - (end - x > 4 ? 0.6 : 0)), h);
    const mine = kind === 'P' && Math.abs(what) === chosen;
    if (mine) {
      pen.strokeStyle = colours.text;
      pen.lineWidth = 1.5;
      pen.strokeRect(x + 0.75, y + 0.75, Math.max(0.5, end - x - 2), h - 1.5);
    }
    if (end - x > 30) {
      const label = kind === 'P' && what !== MANY ? 'G ' + Math.abs(what) : kind === 'G' && what === -1 ? '' : name(kind, what);
      if (label && pen.measureText(label).width < end - x - 8) {
        pen.fillStyle = kind === 'G' && what <= -3 || kind === 'M' || kind === 'P' && what > 0 && !dark.matches ? colours.text : '#fff';
        pen.fillText(label, x + 4, y + h / 2 + 0.5);
      }
    }
  }
  return scale;
}

function drawFlows() {
  let list = [];
  const flows = DATA.flows;
  if (chosen) {
    for (const flow of flows) if (flow[5] === chosen && flow[3] >= from && flow[0] <= to) list.push(flow);
  } else {
    let low = 0, high = flows.length;
    while (low < high) { const middle = (low + high) >> 1; if (flows[middle][3] < from) low = middle + 1; else high = middle; }
    for (let i = low; i < flows.length && flows[i][3] <= to && list.length <= 250; i++) list.push(flows[i]);
    if (list.length > 250) return;
  }
  pen.lineWidth = 1.2;
  for (const [start, p, by, end, toP, goid] of list.slice(0, 2000)) {
    const a = rowOf('P', p), b = rowOf('P', toP);
    if (!a || !b) continue;
    const x1 = toX(start), x2 = toX(end), y1 = a.y + a.h, y2 = a === b ? b.y + b.h : b.y < a.y ? b.y + b.h : b.y;
    pen.strokeStyle = pen.fillStyle = chosen ? colours.text : colours.dim;
    pen.globalAlpha = chosen ? 0.9 : 0.6;
    pen.beginPath();
    const bend = a === b ? 7 : 0, ya = a === b ? y1 : b.y < a.y ? a.y : y1;
    pen.moveTo(x1, ya);
    pen.bezierCurveTo(x1 + (x2 - x1) * 0.3, ya + bend, x2 - (x2 - x1) * 0.3, y2 + bend, x2, y2);
    pen.stroke();
    pen.beginPath();
    const up = a === b || b.y < a.y ? 1 : -1;
    pen.moveTo(x2, y2);
    pen.lineTo(x2 - 3, y2 + 5 * up);
    pen.lineTo(x2 + 3, y2 + 5 * up);
    pen.fill();
    pen.globalAlpha = 1;
  }
}

function drawMoments() {
  let low = 0, shown = [];
  for (const moment of DATA.moments) if (moment[0] >= from && moment[0] <= to) { shown.push(moment); if (shown.length > 600) return; }
  for (const [t, p, kind] of shown) {
    const row = rowOf('P', p);
    if (!row) continue;
    const x = toX(t);
    pen.fillStyle = kind === 2 ? style('--warn') : kind === 1 ? colours.runnable : colours.text;
    pen.beginPath();
    pen.moveTo(x, row.y + 5); pen.lineTo(x - 3.5, row.y - 1); pen.lineTo(x + 3.5, row.y - 1);
    pen.fill();
  }
}

function draw() {
  height = layRows();
  width = size(canvas, pen, height);
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = colours.panel;
  pen.fillRect(0, 0, width, height);
  // The time.
  pen.font = '11px system-ui, sans-serif';
  pen.textBaseline = 'middle';
  const tick = step(to - from, Math.max(2, (width - GUTTER) / 110));
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  for (let t = Math.ceil(from / tick) * tick; t <= to; t += tick) {
    const x = Math.round(toX(t)) + 0.5;
    pen.beginPath(); pen.moveTo(x, AXIS - 6); pen.lineTo(x, height); pen.stroke();
    pen.fillStyle = colours.dim;
    const label = axisTime(t, tick), half = pen.measureText(label).width / 2;
    if (x - half > GUTTER - 10 && x + half < width) pen.fillText(label, x - half, 10);
  }
  for (const row of rows) {
    pen.textBaseline = 'middle';
    if (row.text) {
      pen.font = '600 12px system-ui, sans-serif';
      pen.fillStyle = row.more ? colours.running : colours.dim;
      const w = pen.measureText(row.text).width;
      pen.save(); pen.fillStyle = colours.panel; pen.fillRect(4, row.y + 3, w + 10, row.h - 6); pen.restore();
      pen.fillText(row.text, 8, row.y + row.h / 2 + 1);
      continue;
    }
    pen.save();
    pen.beginPath(); pen.rect(GUTTER, row.y, width - GUTTER, row.h); pen.clip();
    drawRow(row);
    pen.restore();
    pen.font = '12px system-ui, sans-serif';
    pen.fillStyle = row.kind === 'G' && row.track.id === chosen ? colours.running : colours.text;
    pen.fillText(row.label, 8, row.y + row.h / 2 + 0.5);
  }
  pen.save();
  pen.beginPath(); pen.rect(GUTTER, AXIS, width - GUTTER - EDGE, height); pen.clip();
  for (const [start, end] of DATA.stops) {
    if (end < from || start > to) continue;
    pen.fillStyle = style('--warn'); pen.globalAlpha = 0.18;
    const last = rowOf('P', DATA.P[DATA.P.length - 1].id);
    pen.fillRect(toX(start), AXIS, Math.max(1, toX(end) - toX(start)), last.y + last.h - AXIS);
    pen.globalAlpha = 1;
  }
  drawFlows();
  drawMoments();
  pen.restore();
  $('window').textContent = time(from) + ' to ' + time(to) + ', ' + time(to - from);
  drawOverview();
}

// How busy the Ps are, all of the time; and which part of it is shown.
let busy;
function drawOverview() {
  const h = 44, w = size(overview, pen2, h), n = Math.max(1, Math.floor(w - GUTTER - EDGE));
  if (!busy || busy.length !== n) {
    busy = new Float64Array(n);
    for (const track of DATA.P) {
      for (let i = 0; i < track.n; i++) {
        if (track.what[i] < 0 && track.what[i] !== MANY) continue;
        let a = track.from[i] / END * n;
        const b = track.to[i] / END * n;
        for (let x = Math.floor(a); x < n && x < b; x++) busy[x] += Math.min(b, x + 1) - Math.max(a, x);
      }
    }
  }
  pen2.clearRect(0, 0, w, h);
  pen2.fillStyle = colours.page;
  pen2.fillRect(GUTTER, 0, n, h);
  pen2.fillStyle = colours.running;
  pen2.globalAlpha = 0.55;
  const full = Math.max(1, DATA.P.length);
  for (let x = 0; x < n; x++) { const y = Math.min(1, busy[x] / full) * (h - 4); pen2.fillRect(GUTTER + x, h - y, 1, y); }
  pen2.globalAlpha = 1;
  const a = GUTTER + from / END * n, b = GUTTER + to / END * n;
  pen2.strokeStyle = colours.text;
  pen2.lineWidth = 1.5;
  pen2.strokeRect(Math.min(a + 0.75, w - 4), 0.75, Math.max(3, b - a - 1.5), h - 1.5);
  pen2.font = '12px system-ui, sans-serif';
  pen2.textBaseline = 'middle';
  pen2.fillStyle = colours.dim;
  pen2.fillText(GUTTER > 70 ? 'Ps in use' : 'in use', 8, h / 2);
}

// --- moving ---------------------------------------------------------------------------
let wanted = false;
function redraw() {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(() => { wanted = false; draw(); });
}
function show(a, b) {
  let span = Math.min(END, Math.max(50, b - a));
  a = Math.max(0, Math.min(END - span, a));
  from = a;
  to = a + span;
  redraw();
}
function zoom(factor, at = (from + to) / 2) { show(at - (at - from) * factor, at - (at - from) * factor + (to - from) * factor); }
function move(part) { const by = (to - from) * part; show(from + by, to + by); }
$('in').onclick = () => zoom(0.5);
$('out').onclick = () => zoom(2);
$('left').onclick = () => move(-0.3);
$('right').onclick = () => move(0.3);
$('all').onclick = () => { chosen = 0; $('chosen').textContent = ''; show(0, END); };
addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const action = {w: () => zoom(0.6), s: () => zoom(1 / 0.6), a: () => move(-0.25), d: () => move(0.25), 0: () => $('all').click()}[event.key];
  if (action) action();
});
canvas.addEventListener('wheel', event => {
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    zoom(Math.exp(event.deltaY * 0.004), toT(event.offsetX));
  } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    move((event.deltaX || event.deltaY) / width);
  }
}, {passive: false});
canvas.ondblclick = event => zoom(0.3, toT(event.offsetX));

const fingers = new Map();
let moved = 0;
canvas.onpointerdown = event => {
  fingers.set(event.pointerId, event.offsetX);
  canvas.setPointerCapture(event.pointerId);
  moved = 0;
};
canvas.onpointermove = event => {
  const before = fingers.get(event.pointerId);
  if (before === undefined) { hover(event); return; }
  const x = event.offsetX;
  moved += Math.abs(x - before);
  if (moved > 4) { canvas.classList.add('drag'); $('tip').hidden = true; }
  if (fingers.size === 2) {
    const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
    const apart = Math.abs(before - other), now = Math.max(20, Math.abs(x - other));
    if (apart > 20) zoom(apart / now, toT(other));
  } else {
    const by = (before - x) / (width - GUTTER - EDGE) * (to - from);
    show(from + by, to + by);
  }
  fingers.set(event.pointerId, x);
};
canvas.onpointerup = canvas.onpointercancel = event => {
  fingers.delete(event.pointerId);
  canvas.classList.remove('drag');
  if (moved <= 4 && event.type === 'pointerup') click(event);
};
canvas.onpointerleave = () => { $('tip').hidden = true; };
overview.onpointerdown = overview.onpointermove = event => {
  if (event.type === 'pointermove' && !event.buttons) return;
  const at = (event.offsetX - GUTTER) / (overview.clientWidth - GUTTER - EDGE) * END, half = (to - from) / 2;
  show(at - half, at + half);
};

// --- what is under the pointer --------------------------------------------------------
function under(event) {
  const y = event.offsetY, row = rows.find(row => y >= row.y && y < row.y + row.h + 2);
  if (!row || event.offsetX < GUTTER && !row.text) return row ? {row} : null;
  if (!row.track) return {row};
  const t = toT(event.offsetX), near = (to - from) / width * 2;
  let i = find(row.track, t - near);
  return i < row.track.n && row.track.from[i] <= t + near ? {row, i} : {row};
}
function describe({row, i}) {
  const {track, kind} = row, start = track.from[i], end = track.to[i], what = track.what[i];
  let text = name(kind, what);
  if (kind === 'P' && what > 0) text += ' runs on P ' + track.id;
  if (kind === 'M') text = 'M ' + track.id + (what < 0 ? ' is asleep' : ' has P ' + what) + (track.thread ? '\nthread ' + track.thread : '');
  if (kind === 'G') text = 'G ' + track.id + ': ' + text + (track.place ? '\nmade at ' + track.place + (track.parent ? ' by G ' + track.parent : '') : '');
  if (what === MANY) text = 'several, too short to be shown apart';
  return text + '\nfor ' + time(end - start) + ', from ' + time(start);
}
function hover(event) {
  const found = under(event), tip = $('tip');
  tip.hidden = !found || found.i === undefined;
  if (tip.hidden) return;
  tip.textContent = describe(found);
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + 'px';
  tip.style.top = (event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18) + 'px';
}
function click(event) {
  const found = under(event);
  if (!found) return;
  if (found.row.more) { moreGoroutines = true; redraw(); return; }
  const {row, i} = found;
  if (row.kind === 'G') choose(row.track.id);
  else if (row.kind === 'P' && i !== undefined && row.track.what[i] !== MANY) choose(Math.abs(row.track.what[i]));
  else choose(0);
  if (event.pointerType !== 'mouse') hover(event);
}
function choose(goid) {
  chosen = goid;
  const lines = [];
  if (goid) {
    const track = DATA.G.find(g => g.id === goid);
    let line = 'Goroutine ' + goid;
    if (track) {
      const sums = {};
      for (let i = 0; i < track.n; i++) {
        const what = track.what[i] >= 0 ? 'running' : name('G', track.what[i]);
        sums[what] = (sums[what] || 0) + track.to[i] - track.from[i];
      }
      if (track.place) line += ', made at ' + track.place + (track.parent ? ' by goroutine ' + track.parent : '');
      lines.push(line + (track.ended ? '' : '; it had not ended'));
      lines.push(Object.entries(sums).sort((a, b) => b[1] - a[1]).map(([what, t]) => what + ' ' + time(t)).join(' · '));
    } else {
      lines.push(line);
    }
  }
  $('chosen').innerHTML = lines.map(escape).join('<br>');
  redraw();
}

// --- the rest of the page -------------------------------------------------------------
const part = (value, all) => all > 0 ? (100 * value / all).toFixed(value / all < 0.1 ? 1 : 0) + '\u00a0%' : '';
const bar = (parts, all) => {
  let x = 0;
  const rects = parts.map(([value, fill]) => {
    const w = all > 0 ? 100 * value / all : 0, rect = '<rect x="' + x + '%" y="0" width="' + w + '%" height="12" style="fill:' + fill + '"/>';
    x += w;
    return rect;
  });
  return '<svg height="12" role="img">' + rects.join('') + '</svg>';
};
function count(name) { const found = DATA.counts.find(([other]) => other === name); return found ? found[1] : 0; }

function fill() {
  $('what').textContent = 'What gort’s scheduler did: ' + time(END) + ' on ' + DATA.P.length + (DATA.P.length === 1 ? ' P' : ' Ps') + ', '
    + (DATA.status === null ? 'until it was killed' : 'exit status ' + DATA.status) + '.';
  const warnings = [];
  if (DATA.lost) warnings.push(number(DATA.lost) + ' events were lost: there was no room for them. What is shown near them may be wrong.');
  if (DATA.misfits) warnings.push(number(DATA.misfits) + ' events fit no state of their goroutine.');
  if (DATA.left_out) warnings.push(number(DATA.left_out) + ' events at the end are left out: what led to them is not in the file.');
  if (DATA.cut) warnings.push('The file ends in the middle: the program was killed.');
  if (DATA.apart) $('apart').textContent = 'What is shorter than ' + time(DATA.apart) + ' is put together where much goes on.';
  $('warning').hidden = !warnings.length;
  $('warning').textContent = warnings.join(' ');
  const cards = [['time', time(END)], ['Ps', DATA.P.length], ['threads', DATA.M.length], ['goroutines', number(DATA.goroutines)],
    ['switches', number(count('switches to a goroutine'))], ['steals', number(count('steals'))], ['system calls', number(count('system calls'))],
    ['preemptions', number(count('preemptions'))], ['Ps in use', part(DATA.all[0], END * DATA.P.length)]];
  $('cards').innerHTML = cards.map(([name, value]) => '<div class="card"><b>' + value + '</b><span>' + name + '</span></div>').join('');
  const states = [['running', DATA.all[0], 'var(--running)'], ['runnable', DATA.all[1], 'var(--runnable)'],
    ['waiting', DATA.all[2], 'var(--waiting)'], ['in a system call', DATA.all[3], 'var(--syscall)']];
  $('legend').innerHTML = states.map(([name, , fill]) => '<span><i style="background:' + fill + '"></i>' + name + '</span>').join('')
    + '<span>▾ a steal, a timer, a preemption</span>';
  const all = DATA.all.reduce((a, b) => a + b, 0);
  $('doing').innerHTML = '<table>' + states.map(([name, value, fill]) => '<tr><td>' + name + '</td><td class="n">' + time(value)
    + '</td><td class="n">' + part(value, all) + '</td><td class="graph">' + bar([[value, fill]], all) + '</td></tr>').join('') + '</table>';
  $('counts').innerHTML = '<table>' + DATA.counts.map(([name, n]) => '<tr><td>' + name + '</td><td class="n">' + number(n) + '</td></tr>').join('') + '</table>';
  const most = Math.max(1, ...DATA.waiting.map(row => row[2]));
  $('waiting').innerHTML = DATA.waiting.length ? '<table><tr><th>reason</th><th class="n">times</th><th class="n">in all</th><th></th></tr>'
    + DATA.waiting.map(([name, n, t]) => '<tr><td>' + escape(name) + '</td><td class="n">' + number(n) + '</td><td class="n">' + time(t)
    + '</td><td class="graph">' + bar([[t, 'var(--many)']], most) + '</td></tr>').join('') + '</table>' : '<p class="hint">Nobody waited.</p>';
  histogram();
  const longest = Math.max(1, ...DATA.top.map(row => row[2] + row[3] + row[4] + row[5]));
  $('top').innerHTML = '<table><tr><th>goroutine</th><th class="small">made at</th><th class="n">ran</th><th class="n">ready</th><th class="n small">waited</th><th></th></tr>'
    + DATA.top.map(([goid, place, ...t]) => '<tr><td class="g" data-g="' + goid + '">G ' + goid + '</td><td class="place small">' + escape(place) + '</td><td class="n">' + time(t[0])
    + '</td><td class="n">' + time(t[1]) + '</td><td class="n small">' + time(t[2]) + '</td><td class="graph">'
    + bar([[t[0], 'var(--running)'], [t[1], 'var(--runnable)'], [t[3], 'var(--syscall)'], [t[2], 'var(--waiting)']], longest) + '</td></tr>').join('') + '</table>';
  for (const cell of document.querySelectorAll('td.g')) {
    cell.onclick = () => { moreGoroutines = true; choose(+cell.dataset.g); $('timeline').scrollIntoView({block: 'center'}); };
  }
}

// How long goroutines wait for a P, by powers of two.
function histogram() {
  let first = DATA.waits.findIndex(n => n), last = DATA.waits.length - 1;
  while (last > 0 && !DATA.waits[last]) last--;
  if (first < 0) { $('waits').innerHTML = '<p class="hint">Nobody was runnable.</p>'; return; }
  first = Math.max(0, first - 1);
  last = Math.min(DATA.waits.length - 1, Math.max(last + 1, first + 8));
  const n = last - first + 1, most = Math.max(...DATA.waits), h = 150, parts = [];
  const total = DATA.waits.reduce((a, b) => a + b, 0);
  let seen = 0, median = 0, late = 0;
  DATA.waits.forEach((count, i) => {
    if (seen < total * 0.5) median = i;
    if (seen < total * 0.99) late = i;
    seen += count;
  });
  for (let i = first; i <= last; i++) {
    const y = DATA.waits[i] / most * (h - 24), x = (i - first) / n * 100, w = 100 / n;
    parts.push('<rect x="' + (x + w * 0.08) + '%" y="' + (h - y) + '" width="' + w * 0.84 + '%" height="' + Math.max(y, DATA.waits[i] ? 1 : 0)
      + '" rx="2" style="fill:var(--runnable)"><title>' + number(DATA.waits[i]) + ' from ' + time(2 ** i) + ' to ' + time(2 ** (i + 1)) + '</title></rect>');
    if ((i - first) % Math.ceil(n / 6) === 0 && x < 90) parts.push('<text x="' + x + '%" y="' + (h + 15) + '">' + time(2 ** i) + '</text>');
  }
  parts.push('<line x1="0" x2="100%" y1="' + h + '" y2="' + h + '" style="stroke:var(--line)"/>');
  $('waits').innerHTML = '<svg height="' + (h + 20) + '" role="img">' + parts.join('') + '</svg><p class="hint">Half of ' + number(total)
    + ' waits were shorter than ' + time(2 ** (median + 1)) + ', 99 % than ' + time(2 ** (late + 1)) + '.</p>';
}

// The steps of the boot: each by how long it took.
function boot() {
  $('bootpanel').hidden = !DATA.boot.length;
  const most = Math.max(1, ...DATA.boot.map(([, start, end]) => end - start));
  $('boot').innerHTML = '<table>' + DATA.boot.map(([name, start, end]) => '<tr><td>' + escape(name) + '</td><td class="n">' + time(end - start)
    + '</td><td class="graph">' + bar([[end - start, 'var(--running)']], most) + '</td></tr>').join('') + '</table>';
}

// FILE.html#FROM-TO, in nanoseconds, shows a part of it; #FROM-TO,GOID chooses a goroutine.
function byHash() {
  const found = /^#(\d+)-(\d+)(?:,(\d+))?$/.exec(location.hash);
  if (!found) return;
  if (found[3]) choose(+found[3]);
  show(+found[1], +found[2]);
}

setColours();
fill();
boot();
draw();
byHash();
addEventListener('hashchange', byHash);
dark.addEventListener('change', () => { setColours(); draw(); });
addEventListener('resize', redraw);
