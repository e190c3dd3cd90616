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
