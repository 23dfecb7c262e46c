'use strict';
// What the page is drawn from, and the questions that every view asks. C++ writes it (page_data.cpp);
// lists name each other by index, and -1 is "none".
const Data = (() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const d = read('data');
  const count = d.steps.kind ? d.steps.kind.length : 0;
  const column = (of, key) => (of && of[key]) || [];
  const step = (key, i) => column(d.steps, key)[i];
  // Words that differ are [English, Chinese].
  const word = (i) => (i < 0 ? '' : Array.isArray(d.words[i]) ? d.words[i][Texts.language() === 'zh' ? 1 : 0] : d.words[i]);
  const kindOf = (i) => d.kinds[step('kind', i)];
  const fieldAt = Object.fromEntries(d.fields.map((f, i) => [f.key, i]));

  // The steps that changed each end, in their order: what it was in is found by halving.
  const decisions = d.ends.map(() => []);
  const turns = [];
  const ofFrame = column(d.frames, 'text').map(() => []);
  for (let i = 0; i < count; i++) {
    const end = step('end', i);
    if (end >= 0) decisions[end].push(i);
    const frame = step('frame', i);
    if (frame >= 0) ofFrame[frame].push(i);
  }

  // The last index whose value is not above `limit`; -1: none.
  function lastUpTo(list, limit, value = (x) => x) {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value(list[middle]) <= limit) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // A state is kept as what differs from another one: of a step, the one before it.
  const cache = new Map();
  function state(index) {
    if (index < 0) return null;
    if (cache.has(index)) return cache.get(index);
    const chain = [];
    for (let at = index; at >= 0; at = d.states[at][0]) chain.push(at);
    const values = new Array(d.fields.length).fill(0);
    d.fields.forEach((f, i) => {
      if (f.kind === KIND.deadline) values[i] = null;
      if (f.kind === KIND.error) values[i] = -1;
    });
    for (const at of chain.reverse()) {
      const one = d.states[at];
      for (let k = 1; k < one.length; k += 2) values[one[k]] = one[k + 1];
    }
    if (cache.size > 2000) cache.clear();
    cache.set(index, values);
    return values;
  }
  const KIND = { state: 0, address: 1, send: 2, receive: 3, clock: 4, size: 5, count: 6, shift: 7, time: 8, flag: 9, deadline: 10, error: 11 };

  const stateName = (index) => (index < 0 ? 'CLOSED' : word(state(index)[fieldAt.state]));
  for (let i = 0; i < count; i++) {
    if (step('end', i) >= 0 && step('before', i) !== step('after', i)) {
      const [a, b] = [state(step('before', i)), state(step('after', i))];
      if (a[fieldAt.state] !== b[fieldAt.state]) turns.push(i);
    }
  }

  // The step at or before `at` that decided an end's state; -1: it does not exist yet.
  function decidedAt(end, at) {
    const k = lastUpTo(decisions[end], at);
    return k < 0 ? -1 : decisions[end][k];
  }

  function seconds(ns) {
    return (ns / 1e9).toFixed(6);
  }
  function duration(ns) {
    const a = Math.abs(ns);
    if (a >= 1e9) return `${+(ns / 1e9).toPrecision(6)} s`;
    if (a >= 1e6) return `${+(ns / 1e6).toPrecision(6)} ms`;
    return `${+(ns / 1e3).toPrecision(6)} µs`;
  }

  // A window, and behind it the field that says so where a shift makes it another number; of a SYN's none.
  function windowText(key, v, values) {
    const send = key === 'snd_wnd';
    if (!send && key !== 'rcv_wnd') return String(v);
    const shift = values[fieldAt[send ? 'snd_wind_shift' : 'rcv_wind_shift']];
    const opening = ['CLOSED', 'LISTEN', 'SYN-SENT', 'SYN-RECEIVED'].includes(word(values[fieldAt.state]));
    const ofSyn = send && values[fieldAt.snd_wl1] === values[fieldAt.irs];
    const exact = v !== 0 && v % 2 ** shift === 0;
    return shift === 0 || opening || ofSyn || !exact ? String(v) : `${v} (${v >>> shift})`;
  }

  function fieldText(f, values, now, absolute) {
    const field = d.fields[f];
    const v = values[f];
    // Numbers that nobody has set yet would look like large ones, and "no limit" like one.
    if ((field.kind === KIND.send || field.kind === KIND.receive) && v === 0) return '–';
    if (field.key === 'ssthresh' && v === 0xffffffff) return '∞';
    switch (field.kind) {
      case KIND.state: return word(v);
      case KIND.address: return word(v) || Texts.t('none');
      case KIND.error: return v < 0 ? Texts.t('none') : word(v);
      case KIND.send: return String(absolute ? v : (v - values[fieldAt.iss]) >>> 0);
      case KIND.receive: return String(absolute ? v : (v - values[fieldAt.irs]) >>> 0);
      case KIND.flag: return Texts.t(v ? 'yes' : 'no');
      case KIND.time: return v === 0 ? '–' : duration(v);
      case KIND.size: return windowText(field.key, v, values);
      case KIND.deadline: return v === null ? Texts.t('off') : Texts.t('in', duration(v - now));
      default: return String(v);
    }
  }

  // Fields and bytes of frames come in parts, read when one is looked at.
  const parts = new Map();
  function details(frame) {
    const n = Math.floor(frame / d.perPart);
    if (!parts.has(n)) {
      if (parts.size > 8) parts.clear();
      parts.set(n, read(`details-${n}`));
    }
    const part = parts.get(n);
    const one = part.frames[frame % d.perPart];
    const fields = part.shapes[one[0]].map(([name, label, offset, length, level, broken], i) => ({
      name, label, offset, length, level, broken, value: part.values[one[i + 1]],
    }));
    return { fields, bytes: part.bytes[frame % d.perPart] };
  }

  // What is said of a step: [what, why, mistake] with the numbers in their places.
  function explanation(i, language) {
    const text = step('text', i);
    if (text < 0) return null;
    const row = d.texts[text];
    const values = {};
    row.values.forEach((name, k) => { values[name] = step('values', i)[k]; });
    const filled = row[language].map((s) => s.replace(/\{([^}]*)\}/g, (all, name) => values[name] ?? '?'));
    if (d.source === 'capture') filled[0] = Texts.t('seems') + filled[0];
    return { what: filled[0], why: filled[1], mistake: filled[2], rule: row.rule, name: row.name };
  }

  // One line about a step: for the ladder's lifelines, the table, whoever listens.
  function line(i) {
    const kind = kindOf(i);
    const frame = step('frame', i);
    const words = word(step('words', i));
    if (words) return words;
    const parts2 = [];
    if (frame >= 0) parts2.push(d.frames.text[frame]);
    if (step('drop', i) >= 0) parts2.push(Texts.t('refused') + Texts.t('colon') + word(step('drop', i)));
    if (kind === 'lost') parts2.push(word(d.frames.lost[frame]));
    if (frame < 0 && step('text', i) >= 0) parts2.push(d.texts[step('text', i)].name);
    return parts2.join(' · ');
  }
  const turnOf = (i) => {
    const end = step('end', i);
    if (end < 0) return null;
    const [a, b] = [stateName(step('before', i)), stateName(step('after', i))];
    return a === b ? null : [a, b];
  };
  const hostName = (i) => { const h = step('host', i); return h >= 0 ? d.hosts[h].name : ''; };

  return { d, count, step, word, kindOf, state, stateName, decisions, turns, ofFrame, lastUpTo, decidedAt,
    seconds, duration, fieldText, fieldAt, details, explanation, line, turnOf, hostName, KIND };
})();
