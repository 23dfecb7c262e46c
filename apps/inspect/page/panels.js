'use strict';
// What is said about the current step: the explanation, both ends' variables, the frame.
const Panels = (() => {
  const d = Data.d;
  const at = (id) => document.getElementById(id);

  function link(text, i) {
    const a = h('button', { class: 'link' }, text);
    a.addEventListener('click', () => Page.go(i));
    return a;
  }

  function explain(i) {
    const kind = Data.kindOf(i);
    const box = at('explain-text');
    at('explain-title').textContent = `${Texts.t('step', i + 1)}${Texts.t('colon')}${Data.hostName(i)} ${Texts.t(kind === 'decision' ? 'decisionKind' : kind)}`;
    box.replaceChildren();
    const frame = Data.step('frame', i);
    if (frame >= 0) {
      const role = Data.word(d.frames.role[frame]);
      box.append(h('p', { class: 'notation' }, h('code', {}, d.frames.text[frame]), role ? h('span', { class: 'role' }, ` ${role}`) : null));
    }
    const words = Data.word(Data.step('words', i));
    if (words) box.append(h('p', { class: 'words' }, words));
    const turn = Data.turnOf(i);
    if (turn) box.append(h('p', { class: 'turned' }, `${turn[0]} → ${turn[1]}`));
    const says = Data.explanation(i, Texts.language());
    if (says) {
      box.append(h('p', { class: 'what' }, says.what));
      box.append(h('p', {}, h('strong', {}, Texts.t('why') + Texts.t('point')), says.why));
      if (says.mistake) box.append(h('p', { class: 'mistake' }, h('strong', {}, Texts.t('mistake') + Texts.t('point')), says.mistake));
      if (says.rule) box.append(h('p', { class: 'dim' }, Texts.t('source') + Texts.t('colon') + says.rule));
    } else if ((kind === 'sent' || kind === 'received') && Data.step('cause', i) < 0) {
      box.append(h('p', { class: 'dim' }, Texts.t('noExplanation')));
    }
    if (frame >= 0 && d.frames.lost[frame] >= 0) box.append(h('p', { class: 'bad' }, Texts.t('lostWhy', Data.word(d.frames.lost[frame]))));
    if (frame >= 0 && d.frames.again[frame] >= 0) {
      const first = Data.ofFrame[d.frames.again[frame]][0];
      box.append(h('p', {}, link(Texts.t('again', first + 1), first)));
    }
    const cause = Data.step('cause', i);
    if (cause < 0) return;
    const because = says ? null : Data.explanation(cause, Texts.language());
    box.append(h('p', {}, link(Texts.t('because', cause + 1), cause), because ? Texts.t('colon') + because.what : ''));
  }

  // The ends to be shown: of the connection that this step is about, else of the last one that was.
  let stream = -1;
  function endsAt(i) {
    let end = Data.step('end', i);
    if (end < 0 && Data.step('frame', i) >= 0) {
      const near = Data.ofFrame[Data.step('frame', i)].find((k) => Data.step('end', k) >= 0);
      if (near !== undefined) end = Data.step('end', near);
    }
    if (end >= 0) stream = d.ends[end].stream;
    if (stream < 0 && d.ends.length) stream = d.ends[0].stream;
    return d.ends.map((e, k) => k).filter((k) => d.ends[k].stream === stream).slice(0, 2);
  }

  function states(i, absolute) {
    const box = at('states');
    const ends = endsAt(i);
    box.replaceChildren();
    if (!ends.length) { box.append(h('p', { class: 'dim' }, Texts.t('noStates'))); return; }
    const diagrams = h('div', { class: 'diagrams' });
    const columns = ends.map((end) => column(end, i));
    for (const c of columns) {
      const figure = h('figure', {}, h('figcaption', {}, c.label), Diagram.draw(c.now ? Data.stateName(c.after) : 'CLOSED', c.changed ? Data.stateName(c.before) : '', `${Texts.t('diagram')}, ${c.label}`));
      diagrams.append(figure);
    }
    box.append(diagrams, variables(columns, i, absolute));
  }
  function column(end, i) {
    const decided = Data.decidedAt(end, i);
    const after = decided < 0 ? -1 : Data.step('after', decided);
    const before = decided < 0 ? -1 : Data.step('before', decided);
    const host = d.ends[end].host;
    return { end, after, before, changed: decided === i, now: Data.state(after), was: Data.state(before), label: named(host, d.ends[end].local) };
  }
  // A capture's hosts have no names but their addresses.
  function named(host, local) {
    const name = host >= 0 ? d.hosts[host].name : '?';
    return local.startsWith(name) ? local : `${name} ${local}`;
  }
  // Rows that say nothing in any column (off, none, 0 all the time) would hide those that do.
  function variables(columns, i, absolute) {
    const now = Data.step('time', i);
    const table = h('table', { class: 'variables' });
    table.append(h('thead', {}, h('tr', {}, h('th', {}, ''), ...columns.map((c) => h('th', { scope: 'col' }, c.label)))));
    let group = -1;
    const body = h('tbody');
    d.fields.forEach((field, f) => {
      if (f === Data.fieldAt.local || f === Data.fieldAt.remote) return;
      if (field.key === 'recovery_point' && !columns.some((c) => c.now?.[Data.fieldAt.in_recovery])) return;
      const useful = f === Data.fieldAt.state || columns.some((c) => c.now && (meaningful(field, c.now[f]) || (c.changed && c.was[f] !== c.now[f])));
      if (!useful) return;
      if (field.group !== group) {
        group = field.group;
        body.append(h('tr', { class: 'group' }, h('th', { colspan: columns.length + 1, scope: 'colgroup' }, Texts.list('groups')[group])));
      }
      const row = h('tr', {}, h('th', { scope: 'row' }, Texts.language() === 'zh' ? field.zh : field.name));
      for (const c of columns) row.append(cell(c, f, now, absolute));
      body.append(row);
    });
    table.append(body);
    return table;
  }
  const meaningful = (field, v) => !(v === 0 || v === null || (field.kind === Data.KIND.error && v < 0)) || ['state', 'snd_una', 'snd_nxt', 'rcv_nxt', 'snd_wnd', 'rcv_wnd'].includes(field.key);
  function cell(c, f, now, absolute) {
    if (!c.now) return h('td', { class: 'dim' }, f === 0 ? Texts.t('notYet') : '');
    const text = Data.fieldText(f, c.now, now, absolute);
    if (!c.changed || c.was[f] === c.now[f]) return h('td', {}, text);
    const was = Data.fieldText(f, c.was, now, absolute);
    if (was === text) return h('td', {}, text);
    return h('td', { class: 'changed', title: `${Texts.t('was')} ${was}` }, h('span', { class: 'was' }, was), ' → ', h('b', {}, text));
  }

  // Fields beside their bytes: pointing at one lights the other.
  function frame(i) {
    const box = at('frame');
    const n = Data.step('frame', i);
    at('frame-part').hidden = n < 0;
    box.replaceChildren();
    if (n < 0) return;
    const { fields, bytes } = Data.details(n);
    const kept = bytes.length / 2;
    const size = d.frames.size[n];
    box.append(h('p', { class: 'dim' }, Texts.t('bytes', size) + (kept < size ? ` ${Texts.t('cut', kept)}` : '')));
    const hex = h('div', { class: 'hex', 'aria-hidden': 'true' });
    const cells = [];
    for (let k = 0; k < Math.min(kept, 256); k++) {
      if (k % 16 === 0) hex.append(h('span', { class: 'offset' }, (k ? '\n' : '') + k.toString(16).padStart(4, '0') + ' '));
      const one = h('span', { 'data-byte': k }, bytes.slice(k * 2, k * 2 + 2));
      cells.push(one);
      hex.append(one, k % 16 === 7 ? '  ' : ' ');
    }
    const list = h('ul', { class: 'fields', tabindex: 0 });
    fields.forEach((f, k) => {
      const item = h('li', { class: `level${f.level} ${f.broken ? 'bad' : ''}`, 'data-field': k, title: f.name }, f.level === 0 ? h('b', {}, f.label) : `${f.label}: `, f.level === 0 && f.value ? ` ${f.value}` : h('span', { class: 'value' }, f.level === 0 ? '' : f.value));
      list.append(item);
    });
    const light = (k) => {
      for (const e of box.querySelectorAll('.lit')) e.classList.remove('lit');
      if (k < 0 || k === undefined) return;
      list.children[k].classList.add('lit');
      for (let b = fields[k].offset; b < fields[k].offset + fields[k].length; b++) cells[b]?.classList.add('lit');
    };
    list.addEventListener('mouseover', (e) => { const item = e.target.closest('[data-field]'); if (item) light(+item.dataset.field); });
    hex.addEventListener('mouseover', (e) => { const b = e.target.dataset.byte; if (b !== undefined) light(inner(fields, +b)); });
    box.append(list, hex);
  }
  function inner(fields, byte) {
    let best = -1;
    fields.forEach((f, k) => { if (f.offset <= byte && byte < f.offset + f.length && (best < 0 || f.level >= fields[best].level)) best = k; });
    return best;
  }

  // Beside the pointer: the frame, its fields, its bytes, what it did.
  const FEW = /^(ip\.(src|dst|ttl)|tcp\.(srcport|dstport|seq|ack|flags|window_size_value|len)|udp\.(srcport|dstport)|arp\.(opcode|src\.proto_ipv4|dst\.proto_ipv4)|icmp\.(type|code))$/;
  let tipFor = -1;
  function tip(i, event) {
    const box = at('tip');
    if (i < 0) { box.hidden = true; tipFor = -1; return; }
    if (i !== tipFor) {
      tipFor = i;
      box.replaceChildren();
      const n = Data.step('frame', i);
      const says = Data.explanation(i, Texts.language());
      box.append(h('b', {}, `${Texts.t('step', i + 1)}, ${Data.seconds(Data.step('time', i))} s`));
      if (n >= 0) box.append(h('code', {}, d.frames.text[n]));
      else if (Data.line(i)) box.append(h('p', {}, Data.line(i)));
      if (says) box.append(h('p', {}, says.what));
      if (n >= 0) {
        const { fields, bytes } = Data.details(n);
        const few = fields.filter((f) => FEW.test(f.name)).slice(0, 14);
        box.append(h('dl', {}, ...few.flatMap((f) => [h('dt', {}, f.label), h('dd', {}, f.value)])));
        box.append(h('pre', {}, bytes.slice(0, 192).replace(/(..)/g, '$1 ').replace(/(.{48})/g, '$1\n')));
      }
    }
    box.hidden = false;
    const [w, high] = [box.offsetWidth, box.offsetHeight];
    box.style.left = `${Math.max(4, Math.min(event.clientX + 16, innerWidth - w - 8))}px`;
    box.style.top = `${Math.max(4, event.clientY + 16 + high > innerHeight ? event.clientY - high - 12 : event.clientY + 16)}px`;
  }

  return { explain, states, frame, tip, endsAt };
})();
