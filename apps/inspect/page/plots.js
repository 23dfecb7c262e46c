'use strict';
// What changes over time, drawn by dygraphs. All plots share their time axis.
const Plots = (() => {
  const d = Data.d;
  const MOST = 8000;  // rows that are drawn at once: more than a screen has columns
  let graphs = [];
  let chosen = 0;
  let edge = null;  // whether the window's edge is drawn; null: where it does not dwarf all else
  let now = 0;
  let follow = () => {};
  const dark = () => getComputedStyle(document.documentElement).colorScheme === 'dark';
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const s9 = (ns) => ns / 1e9;

  // Lists of [time, values ...] as one, by time; each list has its own columns.
  function merged(lists) {
    const width = lists.reduce((n, l) => n + l.width, 0);
    const all = [];
    let column = 1;
    for (const list of lists) {
      for (const row of list.rows) {
        const one = new Array(width + 1).fill(null);
        one[0] = s9(row[0]);
        list.put(one, column, row);
        all.push(one);
      }
      column += list.width;
    }
    all.sort((a, b) => a[0] - b[0]);
    return all;
  }
  // As tcptrace draws it: each segment an upright line from its first number to its last, below and above
  // it the two staircases of what is acknowledged and of the window's edge.
  function sequence(series) {
    const withEdge = edge ?? !dwarfs(series);
    document.getElementById('edge').checked = withEdge;
    const segments = { rows: series.segments, width: 6, put(one, c, [, low, high, how]) { one[c + how * 2] = low; one[c + how * 2 + 1] = high; } };
    const acks = { rows: series.acks, width: 2, put(one, c, [, ack, windowEdge]) { one[c] = ack; one[c + 1] = withEdge ? windowEdge : null; } };
    return merged([segments, acks]);
  }
  function throughput(series) {
    const acks = series.acks;
    if (acks.length < 2) return [];
    const [start, end] = [acks[0][0], acks[acks.length - 1][0]];
    const bins = Math.min(200, Math.max(10, acks.length));
    const width = Math.max(1, (end - start) / bins);
    const sums = new Array(bins).fill(0);
    for (let i = 1; i < acks.length; i++) {
      const grown = acks[i][1] - acks[i - 1][1];
      if (grown > 0) sums[Math.min(bins - 1, Math.floor((acks[i][0] - start) / width))] += grown;
    }
    return sums.map((bytes, i) => [s9(start + i * width), bytes * 8 / (width / 1e9) / 1e6]);
  }
  // What holds to the end of the run is drawn to there.
  function held(rows) {
    const end = s9(Data.step('time', Data.count - 1));
    return rows.length && rows[rows.length - 1][0] < end ? [...rows, [end, ...rows[rows.length - 1].slice(1)]] : rows;
  }
  function dwarfs(series) {
    let [high, top] = [1, 1];
    for (const row of series.segments) high = Math.max(high, row[2]);
    for (const row of series.acks) top = Math.max(top, row[2]);
    return top > 3 * high;
  }
  // Of more rows than can be seen: of each stretch the first, and the highest and lowest of each column.
  function decimated(rows, from = -Infinity, to = Infinity) {
    let low = 0;
    while (low < rows.length && rows[low][0] < from) low++;
    let high = rows.length;
    while (high > low && rows[high - 1][0] > to) high--;
    if (high - low <= MOST) return rows.length <= MOST ? rows : rows.slice(Math.max(0, low - 1), high + 1);
    const columns = rows[0].length;
    const size = Math.ceil((high - low) / (MOST / (2 * columns)));
    const kept = [];
    for (let a = low; a < high; a += size) {
      const picks = new Set([a]);
      for (let c = 1; c < columns; c++) {
        let [min, max] = [-1, -1];
        for (let k = a; k < Math.min(high, a + size); k++) {
          if (rows[k][c] === null) continue;
          if (min < 0 || rows[k][c] < rows[min][c]) min = k;
          if (max < 0 || rows[k][c] > rows[max][c]) max = k;
        }
        if (min >= 0) picks.add(min).add(max);
      }
      for (const k of [...picks].sort((x, y) => x - y)) kept.push(rows[k]);
    }
    return kept;
  }

  // An upright line from the low to the high number of each segment; both are series of dygraphs.
  function bars(e) {
    if (e.seriesIndex % 2) return;
    const highs = e.allSeriesPoints[e.seriesIndex + 1];
    const ctx = e.drawingContext;
    ctx.strokeStyle = e.color;
    ctx.lineWidth = 2;
    ctx.beginPath();
    e.points.forEach((p, i) => {
      const top = highs[i];
      if (p.yval === null || !top || Number.isNaN(p.canvasy)) return;
      const y = Math.min(top.canvasy, p.canvasy - 2);
      ctx.moveTo(p.canvasx, p.canvasy);
      ctx.lineTo(p.canvasx, y);
      ctx.moveTo(p.canvasx - 3, y);
      ctx.lineTo(p.canvasx + 3, y);
      ctx.moveTo(p.canvasx - 3, p.canvasy);
      ctx.lineTo(p.canvasx + 3, p.canvasy);
    });
    ctx.stroke();
  }

  function plots() {
    const series = d.series[chosen];
    const steps = { stepPlot: true, connectSeparatedPoints: true };
    const bar = { plotter: bars, drawPoints: false, strokeWidth: 0 };
    const c = (n) => css(`--plot${n}`);
    const seg = ['segments', 'sentAgain', 'lostSegments'].flatMap((k) => [`${Texts.t(k)} ⊥`, Texts.t(k)]);
    const seqOptions = Object.fromEntries(seg.map((name) => [name, bar]));
    const list = [{ key: 'sequence', title: 'sequence', rows: sequence(series), labels: [...seg, Texts.t('acked'), Texts.t('window')],
      colors: [c(1), c(1), c(2), c(2), c(3), c(3), c(4), c(5)], options: { ...steps, series: seqOptions } }];
    if (series.sent && d.source !== 'capture') {
      const most = Math.max(...series.congestion.slice(0, 50000).map((r) => Math.max(r[1], r[3])), 1);
      const rows = series.congestion.map(([t, cwnd, ss, flight]) => [s9(t), cwnd, ss > 64 * most ? null : ss, flight]);
      list.push({ key: 'congestion', title: 'congestionPlot', rows: held(rows), labels: ['cwnd', 'ssthresh', Texts.t('flight')], colors: [c(1), c(2), c(4)], options: { stepPlot: true } });
      list.push({ key: 'rtt', title: 'rttPlot', rows: held(series.times.map(([t, a, b]) => [s9(t), a ? s9(a) : null, s9(b)])), labels: ['SRTT', 'RTO'], colors: [c(1), c(2)], options: { stepPlot: true } });
    }
    list.push({ key: 'throughput', title: 'throughputPlot', rows: throughput(series), labels: [Texts.t('throughput')], colors: [c(4)], options: { stepPlot: true, fillGraph: true } });
    return list.filter((p) => p.rows.length > 1);
  }

  let busy = false;
  function zoomed(from, to) {
    if (busy) return;
    busy = true;
    for (const g of graphs) {
      const whole = from === null;
      const range = whole ? span() : [from, to];
      const file = g.allRows.length > MOST ? { file: whole ? decimated(g.allRows) : decimated(g.allRows, from, to) } : {};
      g.updateOptions({ ...file, dateWindow: range, valueRange: null });
    }
    busy = false;
  }
  function span() {
    let [low, high] = [Infinity, -Infinity];
    for (const g of graphs) {
      low = Math.min(low, g.allRows[0][0]);
      high = Math.max(high, g.allRows[g.allRows.length - 1][0]);
    }
    const air = (high - low || 1) * 0.02;
    return [low - air, high + air];
  }

  function draw() {
    for (const g of graphs) g.destroy();
    graphs = [];
    const box = document.getElementById('plots');
    box.replaceChildren();
    if (!d.series.length) { box.append(h('p', { class: 'dim' }, Texts.t('noPlots'))); return; }
    for (const plot of plots()) {
      const area = h('div', { class: 'area', role: 'img', 'aria-label': Texts.t(plot.title) });
      const legend = h('div', { class: 'plot-legend' });
      box.append(h('figure', { class: `plot ${plot.key}` }, h('figcaption', {}, Texts.t(plot.title)), legend, area));
      const g = new Dygraph(area, decimated(plot.rows), {
        labels: [Texts.t('seconds'), ...plot.labels], colors: plot.colors, legend: 'always', labelsDiv: legend, legendFormatter: legendText,
        axisLabelFontSize: 11, gridLineColor: css('--line'), axisLineColor: css('--dim'), labelsKMB: true, strokeWidth: 1.6, includeZero: true, highlightCircleSize: 3,
        axes: { x: { axisLabelFormatter: (v) => `${+v.toFixed(6)} s` }, y: { axisLabelWidth: 56 } },
        drawCallback: (drawn) => { if (drawn.cursor) cursor(drawn); }, zoomCallback: (a, b) => zoomed(a, b), clickCallback: (e, x) => follow(x), ...plot.options,
      });
      g.allRows = plot.rows;
      g.cursor = h('div', { class: 'cursor' });
      area.append(g.cursor);
      // dygraphs shows the whole run on a double click by forgetting the window.
      g.resetZoom = () => zoomed(null);
      graphs.push(g);
    }
    if (graphs.length) zoomed(null);
  }
  function legendText(data) {
    const shown = data.series.filter((x) => x.label && !x.label.endsWith('⊥'));
    const parts = shown.map((x) => `<span style="color:${x.color}">▬ ${x.labelHTML}</span>${x.yHTML === undefined ? '' : ` <b>${x.yHTML}</b>`}`);
    return (data.x === undefined ? '' : `${(+data.x).toFixed(6)} s &nbsp; `) + parts.join(' &nbsp; ');
  }
  // The current step, in every plot: a line above it, since to draw a plot again takes long.
  function cursor(g) {
    const area = g.getArea();
    const x = g.toDomXCoord(s9(now));
    g.cursor.hidden = !(x >= area.x && x <= area.x + area.w);
    g.cursor.style.cssText = `left:${x}px;top:${area.y}px;height:${area.h}px`;
  }
  function build(onTime) {
    follow = onTime;
    const select = document.getElementById('direction');
    select.addEventListener('change', () => { chosen = +select.value; edge = null; draw(); });
    document.getElementById('edge').addEventListener('change', (e) => { edge = e.target.checked; draw(); });
    document.getElementById('zoom-out').addEventListener('click', () => zoomed(null));
    // The direction that carries most is the one to look at.
    d.series.forEach((x, i) => { if (x.segments.length > d.series[chosen].segments.length) chosen = i; });
  }
  function names() {
    const select = document.getElementById('direction');
    select.replaceChildren(...d.series.slice(0, 500).map((x, i) => {
      const end = d.ends[x.end];
      const host = end.host >= 0 ? d.hosts[end.host].name : '?';
      return h('option', { value: i, selected: i === chosen }, `${Texts.t(x.sent ? 'sends' : 'gets', host)}: ${end.local} ↔ ${end.remote}`);
    }));
  }
  function show(i) {
    now = Data.step('time', i) ?? 0;
    for (const g of graphs) cursor(g);
  }
  return { build, draw, names, show, dark, graphs: () => graphs };
})();
