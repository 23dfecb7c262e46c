'use strict';
// Puts the views together: the current step, keys, language, theme.
const Page = (() => {
  const d = Data.d;
  const at = (id) => document.getElementById(id);
  let current = 0;
  let absolute = false;

  function go(i) {
    if (!Data.count) return;
    current = Math.max(0, Math.min(Data.count - 1, i));
    Panels.tip(-1);
    at('where').textContent = `${current + 1} / ${Data.count} · ${Data.seconds(Data.step('time', current))} s`;
    Panels.explain(current);
    Panels.states(current, absolute);
    Panels.frame(current);
    LadderView.show(current);
    Tables.show(current);
    Tables.nat(current);
    Plots.show(current);
  }
  function turn(way) {
    if (way > 0) return Data.turns.find((i) => i > current) ?? current;
    return Data.turns.findLast((i) => i < current) ?? current;
  }
  const moves = { first: () => 0, last: () => Data.count - 1, next: () => current + 1, back: () => current - 1, turn: () => turn(1) };
  const keys = {
    ArrowRight: moves.next, ArrowDown: moves.next, ' ': moves.next, ArrowLeft: moves.back, ArrowUp: moves.back, Home: moves.first, End: moves.last,
    n: () => turn(1), p: () => turn(-1), PageDown: () => current + 10, PageUp: () => current - 10,
  };
  function onKey(e) {
    if (e.ctrlKey || e.metaKey || e.altKey || at('help').open) return;
    // What has keys of its own keeps them.
    if (e.target.closest('select, input, summary')) return;
    if (e.target.closest('button') && (e.key === ' ' || e.key === 'Enter')) return;
    if (keys[e.key]) { e.preventDefault(); go(keys[e.key]()); return; }
    if (e.key === '?') at('help').showModal();
    if (e.key === 'd') theme(Plots.dark() ? 'light' : 'dark');
    if (e.key === 'l') language(Texts.language() === 'en' ? 'zh' : 'en');
    if (e.key === 'a') numbers(!absolute);
  }

  function theme(name) {
    at('theme').value = name;
    document.documentElement.dataset.theme = name;
    Plots.draw();
    remember('theme', name);
  }
  function numbers(yes) {
    absolute = yes;
    at('numbers').value = yes ? 'absolute' : 'relative';
    go(current);
  }
  function language(code) {
    at('language').value = code;
    Texts.use(code);
    about();
    at('legend').replaceChildren(...Texts.list('legend').flatMap(([kind, words]) => [h('span', { class: kind }, words), '   ']));
    at('ladder').setAttribute('aria-label', Texts.t('ladderLabel'));
    at('table').setAttribute('aria-label', Texts.t('stepsLabel'));
    at('keys').tBodies[0].replaceChildren(...Texts.list('keys').map(([key, what]) => h('tr', {}, h('th', { scope: 'row' }, h('kbd', {}, key)), h('td', {}, what))));
    Plots.names();
    Plots.draw();
    go(current);
    remember('language', code);
  }
  // A page opened from a file may not be allowed to remember anything.
  function remember(key, value) {
    try { localStorage.setItem(`tapestry-${key}`, value); } catch { /* then it is asked for again */ }
  }
  function remembered(key) {
    try { return localStorage.getItem(`tapestry-${key}`); } catch { return null; }
  }

  // The author's words: the lines of a Chinese text have no blanks between them.
  function about() {
    const chinese = Texts.language() === 'zh';
    const words = chinese ? d.zh : d;
    const lines = (id) => {
      at(id).textContent = words[id].join(chinese && d.zh[id].join() !== d[id].join() ? '' : ' ');
      return words[id].length > 0;
    };
    at('title').textContent = words.title;
    at('about').hidden = !lines('watch');
    at('summary-part').hidden = !lines('summary');
  }
  function start() {
    at('name').textContent = d.name;
    LadderView.build(go, (i, e) => Panels.tip(i, e));
    Tables.build(go);
    Plots.build((x) => go(Math.max(0, Data.lastUpTo(d.steps.time, x * 1e9))));
    for (const b of document.querySelectorAll('[data-go]')) b.addEventListener('click', () => go(moves[b.dataset.go]()));
    at('language').addEventListener('change', (e) => language(e.target.value));
    at('theme').addEventListener('change', (e) => theme(e.target.value));
    at('numbers').addEventListener('change', (e) => numbers(e.target.value === 'absolute'));
    at('help-button').addEventListener('click', () => at('help').showModal());
    document.addEventListener('keydown', onKey);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => Plots.draw());
    let kept = 'auto';
    addEventListener('beforeprint', () => {
      kept = document.documentElement.dataset.theme;
      document.documentElement.dataset.theme = 'light';
      Plots.draw();
      LadderView.print(at('print'));
      Tables.print(at('print'));
    });
    addEventListener('afterprint', () => {
      document.documentElement.dataset.theme = kept;
      Plots.draw();
      at('print').replaceChildren();
    });
    document.documentElement.dataset.theme = remembered('theme') ?? 'auto';
    at('theme').value = document.documentElement.dataset.theme;
    language(remembered('language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'));
    document.documentElement.dataset.ready = Math.round(performance.now());
  }
  start();
  return { go, turn: () => go(turn(1)), current: () => current };
})();
