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
