// The page's end of contextBridge: what the preload exposes becomes a frozen object of the page, whose functions call into
// the preload's world. Events of the window are all that two worlds of a page share; their `detail` is cloned between them.
(() => {
  if (window !== window.top) return;
  let calls = 0;
  const pending = new Map();

  function call(path, args) {
    const id = (calls += 1);
    let answer = null;
    const receive = (event) => {
      if (event.detail.id === id) answer = event.detail;
    };
    window.addEventListener('stand-in:answer', receive);
    window.dispatchEvent(new CustomEvent('stand-in:call', { detail: { id, path, args } }));
    window.removeEventListener('stand-in:answer', receive);
    if (answer.later) return new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  }

  window.addEventListener('stand-in:settled', ({ detail }) => {
    const { resolve, reject } = pending.get(detail.id);
    pending.delete(detail.id);
    if (detail.error === undefined) resolve(detail.value);
    else reject(new Error(detail.error));
  });
  window.addEventListener('stand-in:expose', ({ detail: { key, functions, values } }) => {
    const entries = functions.map((name) => [name, (...args) => call([key, name], args)]);
    const value = Object.freeze({ ...values, ...Object.fromEntries(entries) });
    Object.defineProperty(window, key, { value, enumerable: true });
  });
})();
