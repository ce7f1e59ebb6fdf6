/* visit.js: asks the phone where it is before a check-in, sends a form once, and loses nothing that was written.
   form[data-locate data-busy="…"] · form[data-once] · form[data-draft="key" data-person="1"] with [data-said] and [data-discard].
   Without it the check-in goes through without a place, and the browser keeps the form. */
(() => {
  'use strict';
  const PATIENCE = 8000; /* ms to find the place; the browser's own limit leaves out the question to the person */
  const OURS = 'draft:';

  const form = document.querySelector('form[data-draft]');
  const say = (what, on) => form.querySelectorAll(`[data-said="${what}"]`).forEach((n) => { n.hidden = !on; });

  /* --- sending */
  const fill = (to, name, value) => {
    const input = document.createElement('input');
    input.type = 'hidden'; input.name = name; input.value = value;
    to.append(input);
  };
  function locate(to, button) {
    button.setAttribute('aria-disabled', 'true');
    button.querySelector('span').textContent = to.dataset.busy;
    let sent = false;
    const send = (values) => {
      if (sent) return;
      sent = true;
      Object.entries(values).forEach(([name, value]) => fill(to, name, value));
      to.submit();
    };
    setTimeout(() => send({ no_place: 'slow' }), PATIENCE);
    navigator.geolocation.getCurrentPosition(({ coords }) => send({
      latitude: coords.latitude.toFixed(6), longitude: coords.longitude.toFixed(6), accuracy_m: Math.round(coords.accuracy),
    }), (error) => send({ no_place: error.code === error.TIMEOUT ? 'slow' : 'denied' }), { enableHighAccuracy: true, timeout: PATIENCE, maximumAge: 30000 });
  }
  document.addEventListener('submit', (e) => {
    const sending = e.target;
    if (sending.dataset.sent) { e.preventDefault(); return; }
    if (sending === form) {
      keep();
      if (!navigator.onLine) { e.preventDefault(); say('offline', true); form.querySelector('[data-said="offline"]').scrollIntoView({ block: 'center' }); return; }
    }
    if ('once' in sending.dataset || 'locate' in sending.dataset) sending.dataset.sent = '1';
    if ('locate' in sending.dataset && navigator.geolocation) { e.preventDefault(); locate(sending, e.submitter || sending.querySelector('button')); }
  });
  /* back from the next page, or from none: the form can be sent again */
  addEventListener('pageshow', (e) => document.querySelectorAll('form[data-sent]').forEach((f) => {
    delete f.dataset.sent;
    if (e.persisted && 'locate' in f.dataset) location.reload();
  }));

  /* --- drafts: what was typed stays in this tab until the server has it */
  const place = form && `${OURS}${form.dataset.person}:${location.pathname}:${form.elements.customer ? form.elements.customer.value : ''}`;
  const fields = () => [...form.elements].filter((f) => f.name && f.type !== 'submit' && f.name !== 'csrfmiddlewaretoken');
  const chosen = (f) => f.type === 'checkbox' || f.type === 'radio';

  function keep() {
    const values = fields().filter((f) => !chosen(f) || f.checked).map((f) => [f.name, f.value]);
    try { sessionStorage.setItem(place, JSON.stringify({ key: form.dataset.draft, values })); } catch { /* full or forbidden: as without it */ }
  }
  function restore() {
    const draft = JSON.parse(sessionStorage.getItem(place) || 'null');
    if (!draft) return;
    if ('answered' in form.dataset) { keep(); return; } /* the server's answer holds it already */
    fields().forEach((f) => {
      const values = draft.values.filter(([name]) => name === f.name).map(([, value]) => value);
      if (chosen(f)) f.checked = values.includes(f.value); else if (values.length) [f.value] = values;
    });
    form.dataset.draft = draft.key;
    say('restored', true);
  }
  /* the server says in a cookie which draft it has saved */
  function forget() {
    const saved = (document.cookie.match(/(?:^|; )saved_draft=([^;]*)/) || [])[1];
    if (!saved) return;
    document.cookie = 'saved_draft=;path=/;max-age=0;samesite=lax';
    Object.keys(sessionStorage).filter((name) => name.startsWith(OURS)).forEach((name) => {
      if (JSON.parse(sessionStorage.getItem(name)).key === saved) sessionStorage.removeItem(name);
    });
  }
  forget();
  if (form) {
    restore();
    form.addEventListener('input', keep);
    form.addEventListener('click', (e) => {
      if (!e.target.closest('[data-discard]')) return;
      sessionStorage.removeItem(place);
      location.replace(location.href);
    });
    addEventListener('online', () => say('offline', false));
  }
})();
