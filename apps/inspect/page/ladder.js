'use strict';
// The ladder: only what is in sight is drawn. Where everything stands, C++ has said (ladder_geometry.h).
const LadderView = (() => {
  const g = Data.d.ladder;
  const rows = g.rows;
  const BUCKET = 400;
  const MARGIN = 300;
  const HEAD = 46;
  let box;
  let svg;
  let head;
  let current = 0;
  let choose = () => {};
  let hover = () => {};

  // Which arrows cross each stretch of the ladder.
  const buckets = [];
  const frames = g.arrows.length / 5;
  const arrow = (i) => g.arrows.slice(i * 5, i * 5 + 5);
  for (let i = 0; i < frames; i++) {
    const [, y1, , y2, how] = arrow(i);
    if (!how) continue;
    for (let b = Math.floor(y1 / BUCKET); b <= Math.floor(y2 / BUCKET); b++) (buckets[b] ??= []).push(i);
  }
  const lifelineOf = (i) => { const host = Data.step('host', i); return host >= 0 ? Data.d.hosts[host].lifelines[0] ?? 0 : 0; };

  // A Chinese character is nearly as wide as two letters.
  const wide = /[\u2e80-\u9fff\uff00-\uff60]/;
  function shortened(text, width, size = 7.3) {
    const room = Math.max(8, Math.floor(width / size));
    let used = 0;
    for (let i = 0; i < text.length; i++) {
      used += wide.test(text[i]) ? 1.9 : 1;
      if (used > room) return `${text.slice(0, i - 1)}…`;
    }
    return text;
  }

  function drawArrow(i) {
    const [x1, y1, x2, y2, how] = arrow(i);
    const f = Data.d.frames;
    const again = f.again[i] >= 0;
    const mine = Data.step('frame', current) === i;
    const classes = `frame ${again ? 'again' : ''} ${how === 2 ? 'lost' : ''} ${mine ? 'current' : ''}`;
    const group = s('g', { class: classes, 'data-frame': i });
    if (again) drawTie(group, i, x1, y1);
    group.append(s('line', { class: 'hit', x1, y1, x2, y2 }));
    group.append(s('line', { class: 'arrow', x1, y1, x2, y2, 'marker-end': how === 2 ? '' : `url(#head${again ? '-again' : ''})` }));
    if (how === 2) {
      group.append(s('path', { class: 'cross', d: `M${x2 - 6} ${y2 - 6}l12 12M${x2 - 6} ${y2 + 6}l12 -12` }));
      const right = x2 > x1;
      const why = s('text', { class: 'bad small', x: x2 + (right ? 12 : -12), y: y2 + 13, 'text-anchor': right ? 'start' : 'end' });
      why.textContent = shortened(Data.word(f.lost[i]), 190, 6.4);
      group.append(why);
    }
    const long = Math.hypot(x2 - x1, y2 - y1);
    let angle = Math.atan2(y2 - y1, x2 - x1) * 180 / Math.PI;
    if (Math.abs(angle) > 90) angle -= Math.sign(angle) * 180;
    // Not in the middle, where it would meet that of a frame the other way.
    const part = how === 2 ? 0.5 : 0.4;
    const [x, y] = [x1 + (x2 - x1) * part, y1 + (y2 - y1) * part];
    const label = s('text', { class: 'label', x, y: y - 5, 'text-anchor': 'middle', transform: `rotate(${angle.toFixed(1)} ${x} ${y})` });
    label.textContent = shortened(Data.word(f.brief[i]) || f.text[i], long * 0.8 - 10);
    group.append(label);
    return group;
  }

  // From a frame that is sent again to the one that carried its numbers first.
  function drawTie(group, i, x1, y1) {
    const first = arrow(Data.d.frames.again[i]);
    const back = x1 < first[2] || lifelineIsLeft(x1) ? -1 : 1;
    const bend = x1 + back * Math.min(90, 30 + (y1 - first[1]) / 20);
    group.append(s('path', { class: 'tie', d: `M${x1} ${y1}C${bend} ${y1} ${bend} ${first[1]} ${x1} ${first[1]}` }));
  }
  const lifelineIsLeft = (x) => x === g.lifelines[0].x;

  // At the end of its arrow: a router has several lifelines.
  function placeOf(i) {
    const frame = Data.step('frame', i);
    const kind = Data.kindOf(i);
    if (frame >= 0) {
      const [x1, , x2, , how] = arrow(frame);
      if (how && kind === 'sent') return x1;
      if (how && kind !== 'drop' && how !== 2) return x2;
      if (how && kind === 'lost') return x2;
    }
    return g.lifelines[lifelineOf(i)]?.x ?? 0;
  }
  function drawStep(i) {
    const kind = Data.kindOf(i);
    const turn = Data.turnOf(i);
    const x = placeOf(i);
    const n = Math.max(0, g.lifelines.findIndex((l) => l.x === x));
    const group = s('g', { class: `step ${kind} ${i === current ? 'current' : ''}`, 'data-step': i });
    const left = n === 0 && g.lifelines.length > 1;
    if (i === current) group.append(s('rect', { class: 'band', x: 0, y: rows[i] - 10, width: g.width, height: 20, rx: 3 }));
    group.append(s('circle', { cx: x, cy: rows[i], r: i === current ? 5 : 3.2 }));
    const words = labelOf(i, kind, turn);
    if (words) {
      const middle = n > 0 && n < g.lifelines.length - 1;
      const text = s('text', { class: turn ? 'turn' : Data.step('drop', i) >= 0 ? 'bad small' : 'small', x: x + (left ? -10 : 10), y: rows[i] + 4, 'text-anchor': left ? 'end' : 'start' });
      text.textContent = shortened(words, middle ? 310 : 165, 6.2);
      if (text.textContent !== words) text.append(s('title'));
      if (text.lastChild.nodeType === 1) text.lastChild.textContent = words;
      group.append(text);
    }
    return group;
  }
  function labelOf(i, kind, turn) {
    if (turn) return turn[1];
    if (Data.step('drop', i) >= 0) return Texts.t('refused') + Texts.t('colon') + Data.word(Data.step('drop', i));
    if (kind === 'timer') return Texts.t('timer') + Texts.t('colon') + (Texts.language() === 'zh' ? Data.d.texts[Data.step('text', i)].brief : Data.line(i));
    return Data.word(Data.step('words', i));
  }

  function marker(id) {
    return s('marker', { id, viewBox: '0 0 8 8', refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: 'auto' }, s('path', { d: 'M0 0L8 4L0 8z' }));
  }
  function drawHead() {
    head.replaceChildren();
    for (const l of g.lifelines) {
      const name = s('text', { class: 'name', x: l.x, y: 18, 'text-anchor': 'middle' });
      name.textContent = l.label;
      const address = s('text', { class: 'small dim', x: l.x, y: 34, 'text-anchor': 'middle' });
      address.textContent = l.address;
      head.append(name, address);
    }
  }

  function drawInto(target, top, bottom) {
    const back = s('g');
    for (const l of g.lifelines) back.append(s('line', { class: 'life', x1: l.x, x2: l.x, y1: Math.max(top, HEAD), y2: Math.min(bottom, g.height) }));
    for (const [y1, y2, text] of g.waits) {
      if (y2 < top || y1 > bottom) continue;
      const wait = s('text', { class: 'small dim', x: 6, y: (y1 + y2) / 2 + 4 });
      wait.textContent = `⋮ ${text}`;
      back.append(wait);
    }
    const arrows = s('g');
    const seen = new Set();
    for (let b = Math.max(0, Math.floor(top / BUCKET)); b <= Math.floor(bottom / BUCKET); b++) {
      for (const i of buckets[b] ?? []) {
        if (seen.has(i)) continue;
        seen.add(i);
        arrows.append(drawArrow(i));
      }
    }
    const steps = s('g');
    const first = Math.max(0, Data.lastUpTo(rows, top));
    for (let i = first; i < rows.length && rows[i] < bottom; i++) steps.append(drawStep(i));
    const defs = s('defs', {}, marker('head'), marker('head-again'));
    target.replaceChildren(defs, back, steps, arrows);
  }

  let asked = false;
  function later() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }
  function draw() {
    const top = Math.max(0, box.scrollTop - MARGIN);
    const bottom = Math.min(g.height, box.scrollTop + box.clientHeight + MARGIN);
    svg.style.top = `${top}px`;
    svg.setAttribute('viewBox', `0 ${top} ${g.width} ${bottom - top}`);
    svg.setAttribute('height', bottom - top);
    drawInto(svg, top, bottom);
  }

  function build(onChoose, onHover) {
    choose = onChoose;
    hover = onHover;
    box = document.getElementById('ladder');
    head = s('svg', { class: 'ladder head', width: g.width, height: HEAD, 'aria-hidden': 'true' });
    svg = s('svg', { class: 'ladder body', width: g.width, 'aria-hidden': 'true' });
    const room = h('div', { class: 'room', style: `height:${g.height}px;width:${g.width}px` }, svg);
    box.append(head, room);
    document.documentElement.style.setProperty('--ladder', `${Math.max(620, g.width + 22)}px`);
    drawHead();
    box.addEventListener('scroll', later, { passive: true });
    new ResizeObserver(later).observe(box);
    box.addEventListener('click', (e) => { const i = stepAt(e.target); if (i >= 0) choose(i); });
    box.addEventListener('mousemove', (e) => hover(stepAt(e.target), e));
    box.addEventListener('mouseleave', () => hover(-1));
  }
  // A frame stands for the step where it came in, which says what it did.
  function stepAt(target) {
    const step = target.closest('[data-step]');
    if (step) return +step.dataset.step;
    const frame = target.closest('[data-frame]');
    if (!frame) return -1;
    const steps = Data.ofFrame[+frame.dataset.frame];
    return steps.find((i) => Data.kindOf(i) === 'received') ?? steps.find((i) => Data.kindOf(i) === 'lost') ?? steps[0];
  }
  function show(i) {
    current = i;
    if (!rows.length) return;
    const y = rows[i];
    if (y < box.scrollTop + HEAD + 60 || y > box.scrollTop + box.clientHeight - 80) {
      box.scrollTop = Math.max(0, y - box.clientHeight / 2);
    }
    const x = placeOf(i);
    if (x < box.scrollLeft + 100) box.scrollLeft = x - 200;
    else if (x > box.scrollLeft + box.clientWidth - 60) box.scrollLeft = x + 200 - box.clientWidth;
    draw();
  }
  // All of it, for paper; of a long one the part around the current step.
  function print(into) {
    const top = g.height > 12000 ? Math.max(0, rows[current] - 3000) : 0;
    const bottom = Math.min(g.height, top + 12000);
    const page = s('svg', { class: 'ladder', viewBox: `0 ${top} ${g.width} ${bottom - top}`, width: '100%' });
    drawInto(page, top, bottom);
    // The arrowheads of the ladder on the screen, which is hidden on paper, would be hidden, too.
    for (const marker of page.querySelectorAll('marker')) marker.id += '-print';
    for (const line of page.querySelectorAll('[marker-end^=url]')) line.setAttribute('marker-end', line.getAttribute('marker-end').replace(')', '-print)'));
    const names = head.cloneNode(true);
    names.setAttribute('viewBox', `0 0 ${g.width} ${HEAD}`);
    names.setAttribute('width', '100%');
    into.replaceChildren(names, page);
  }
  return { build, show, draw, print };
})();
