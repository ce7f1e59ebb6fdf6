/* visit.js: asks the phone where it is before a check-in, and keeps a form from being sent twice.
   form[data-locate data-busy="…"] · form[data-once]. Without it the check-in goes through without a place. */
(() => {
  'use strict';
  const fill = (form, name, value) => {
    const input = document.createElement('input');
    input.type = 'hidden'; input.name = name; input.value = value;
    form.append(input);
  };
  document.addEventListener('submit', (e) => {
    const form = e.target;
    if (form.dataset.sent) { e.preventDefault(); return; }
    if ('once' in form.dataset) form.dataset.sent = '1';
    if (!('locate' in form.dataset)) return;
    form.dataset.sent = '1';
    const button = form.querySelector('button');
    button.setAttribute('aria-disabled', 'true');
    if (!navigator.geolocation) return;
    e.preventDefault();
    button.querySelector('span').textContent = form.dataset.busy;
    const send = () => form.submit();
    navigator.geolocation.getCurrentPosition((at) => {
      fill(form, 'latitude', at.coords.latitude.toFixed(6));
      fill(form, 'longitude', at.coords.longitude.toFixed(6));
      fill(form, 'accuracy_m', Math.round(at.coords.accuracy));
      send();
    }, send, { enableHighAccuracy: true, timeout: 8000, maximumAge: 30000 });
  });
  /* back from the next page: the form can be sent again */
  addEventListener('pageshow', (e) => {
    if (e.persisted) document.querySelectorAll('form[data-sent]').forEach((f) => { delete f.dataset.sent; });
  });
})();
