'use strict';
// The state diagram of RFC 9293 figure 5, with the state of an end lit and the last way marked.
const Diagram = (() => {
  const STATES = {
    'CLOSED': [150, 16], 'LISTEN': [60, 62], 'SYN-RECEIVED': [60, 112], 'SYN-SENT': [240, 112], 'ESTABLISHED': [150, 158],
    'FIN-WAIT-1': [60, 206], 'CLOSE-WAIT': [250, 206], 'FIN-WAIT-2': [60, 258], 'CLOSING': [158, 258], 'LAST-ACK': [250, 258], 'TIME-WAIT': [110, 306],
  };
  const WAYS = [
    ['CLOSED', 'LISTEN'], ['CLOSED', 'SYN-SENT'], ['LISTEN', 'SYN-RECEIVED'], ['LISTEN', 'SYN-SENT'], ['SYN-SENT', 'SYN-RECEIVED'],
    ['SYN-RECEIVED', 'ESTABLISHED'], ['SYN-SENT', 'ESTABLISHED'], ['SYN-RECEIVED', 'FIN-WAIT-1'], ['ESTABLISHED', 'FIN-WAIT-1'],
    ['ESTABLISHED', 'CLOSE-WAIT'], ['FIN-WAIT-1', 'FIN-WAIT-2'], ['FIN-WAIT-1', 'CLOSING'], ['FIN-WAIT-2', 'TIME-WAIT'], ['CLOSING', 'TIME-WAIT'], ['CLOSE-WAIT', 'LAST-ACK'],
  ];
  const WIDE = 88;
  const HIGH = 20;

  // From the border of a box towards another.
  function border([x, y], [tx, ty]) {
    const [dx, dy] = [tx - x, ty - y];
    const k = Math.min(dx ? WIDE / 2 / Math.abs(dx) : Infinity, dy ? HIGH / 2 / Math.abs(dy) : Infinity);
    return [x + dx * k, y + dy * k];
  }
  function draw(now, was, label) {
    const svg = s('svg', { class: 'diagram', viewBox: '0 0 300 322', role: 'img', 'aria-label': `${label}: ${now}` });
    svg.append(s('defs', {}, s('marker', { id: 'way', viewBox: '0 0 8 8', refX: 8, refY: 4, markerWidth: 6, markerHeight: 6, orient: 'auto' }, s('path', { d: 'M0 0L8 4L0 8z' }))));
    const ways = WAYS.slice();
    if (was && was !== now && !ways.some(([a, b]) => a === was && b === now)) ways.push([was, now]);
    for (const [from, to] of ways) {
      const [x1, y1] = border(STATES[from], STATES[to]);
      const [x2, y2] = border(STATES[to], STATES[from]);
      svg.append(s('line', { class: from === was && to === now ? 'way taken' : 'way', x1, y1, x2, y2, 'marker-end': 'url(#way)' }));
    }
    for (const [name, [x, y]] of Object.entries(STATES)) {
      const text = s('text', { x, y: y + 4, 'text-anchor': 'middle' });
      text.textContent = name;
      svg.append(s('g', { class: name === now ? 'lit' : name === was ? 'left' : '' }, s('rect', { x: x - WIDE / 2, y: y - HIGH / 2, width: WIDE, height: HIGH, rx: 5 }), text));
    }
    return svg;
  }
  return { draw };
})();
