'use strict';
// All steps as a table, of which only the rows in sight exist, and the router's table at the current step.
const Tables = (() => {
  const d = Data.d;
  const ROW = 26;
  const KEYS = ['#', 'time', 'host', 'kind', 'words', 'state'];
  let box;
  let body;
  let current = 0;

  function cells(i) {
    const kind = Data.kindOf(i);
    const turn = Data.turnOf(i);
    const says = Data.step('text', i) >= 0 ? d.texts[Data.step('text', i)].name : '';
    return [String(i + 1), Data.seconds(Data.step('time', i)), Data.hostName(i), Texts.t(kind === 'decision' ? 'decisionKind' : kind), Data.line(i), turn ? `${turn[0]} → ${turn[1]}` : says];
  }
  function row(i) {
    const r = h('div', { role: 'row', class: `r ${i === current ? 'current' : ''} ${Data.turnOf(i) ? 'turn' : ''}`, 'aria-rowindex': i + 2, 'aria-selected': i === current, style: `top:${(i + 1) * ROW}px`, 'data-step': i });
    cells(i).forEach((text, k) => r.append(h('span', { role: 'gridcell', class: `c${k}`, title: k === 4 ? text : null }, text)));
    return r;
  }
  function header() {
    const r = h('div', { role: 'row', class: 'r head', 'aria-rowindex': 1 });
    KEYS.forEach((key, k) => r.append(h('span', { role: 'columnheader', class: `c${k}` }, k ? Texts.t(key) : key)));
    return r;
  }
  let asked = false;
  function later() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }
  function draw() {
    const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 10);
    const last = Math.min(Data.count, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + 10);
    const rows = [header()];
    for (let i = first; i < last; i++) rows.push(row(i));
    body.replaceChildren(...rows);
  }
  function build(choose) {
    box = document.getElementById('table');
    body = h('div', { class: 'rows', style: `height:${(Data.count + 1) * ROW}px` });
    box.setAttribute('role', 'grid');
    box.setAttribute('aria-rowcount', Data.count + 1);
    box.append(body);
    box.addEventListener('scroll', later, { passive: true });
    body.setAttribute('role', 'rowgroup');
    box.addEventListener('click', (e) => { const r = e.target.closest('[data-step]'); if (r) choose(+r.dataset.step); });
  }
  function show(i) {
    current = i;
    const y = (i + 1) * ROW;
    if (y < box.scrollTop + ROW || y > box.scrollTop + box.clientHeight - 2 * ROW) box.scrollTop = Math.max(0, y - box.clientHeight / 2);
    draw();
  }
  // For paper all rows, as many as anybody would print.
  function print(into) {
    const table = h('table', {}, h('thead', {}, h('tr', {}, ...KEYS.map((key, k) => h('th', {}, k ? Texts.t(key) : key)))));
    const rows = h('tbody');
    for (let i = 0; i < Math.min(Data.count, 1000); i++) rows.append(h('tr', {}, ...cells(i).map((text) => h('td', {}, text))));
    table.append(rows);
    into.append(table);
  }

  function nat(i) {
    const part = document.getElementById('nat-part');
    part.hidden = !d.flows.length;
    if (!d.flows.length) return;
    const rows = new Map();
    let changed = -1;
    for (const flow of d.flows) {
      if (flow.step > i) break;
      const key = `${flow.host}/${flow.id}`;
      if (flow.event === 'destroy') rows.delete(key);
      else rows.set(key, flow);
      if (flow.step === i) changed = key;
    }
    const table = h('table', {}, h('thead', {}, h('tr', {}, ...['host', 'natRow', 'natState', 'natLeft', 'natSince'].map((key) => h('th', { scope: 'col' }, Texts.t(key))))));
    const body2 = h('tbody');
    for (const [key, flow] of [...rows].slice(-200)) {
      body2.append(h('tr', { class: key === changed ? 'changed' : '' }, h('td', {}, d.hosts[flow.host]?.name ?? ''), h('td', {}, h('code', {}, flow.row)), h('td', {}, flow.state), h('td', {}, flow.remaining), h('td', {}, Texts.t('step', flow.step + 1))));
    }
    table.append(body2);
    document.getElementById('nat').replaceChildren(rows.size ? table : h('p', { class: 'dim' }, Texts.t('natEmpty')));
  }
  return { build, show, draw, print, nat };
})();
