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
