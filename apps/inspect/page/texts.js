'use strict';
// The page's own words in both languages; elements name theirs in data-t.
const Texts = (() => {
  const all = {};
  for (const code of ['en', 'zh']) all[code] = JSON.parse(document.getElementById(`texts-${code}`).textContent);
  let code = 'en';
  const t = (key, value) => (all[code][key] ?? key).replace('%', value);
  function use(language) {
    code = language;
    document.documentElement.lang = code === 'zh' ? 'zh-Hans' : 'en';
    for (const e of document.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
    for (const e of document.querySelectorAll('[data-tip]')) {
      e.title = t(e.dataset.tip);
      e.setAttribute('aria-label', t(e.dataset.tip));
    }
  }
  return { t, use, language: () => code, list: (key) => all[code][key] };
})();

// An element: h('td', {class: 'x'}, 'text', child ...).
function h(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== false) e.setAttribute(key, value);
  e.append(...children.filter((c) => c !== null));
  return e;
}
function s(tag, attributes = {}, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}
