// The preload's world: `require('electron')` of a sandboxed preload, spoken to the main process over a text channel.
// Free names, given by page-host.ts: codec, send (text to the main process), platform, runPreload(require, process).
const listeners = new Map();
const invocations = new Map();
const ports = new Map();
const exposed = new Map();
let sent = 0;

const tell = (message) => send(codec.encode({ ...message, url: location.href }));

const ipcRenderer = {
  send: (channel, ...args) => tell({ type: 'send', channel, args }),
  invoke(channel, ...args) {
    const id = (sent += 1);
    tell({ type: 'invoke', id, channel, args });
    return new Promise((resolve, reject) => invocations.set(id, { resolve, reject }));
  },
  on(channel, listener) {
    listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
    return ipcRenderer;
  },
};

const contextBridge = {
  exposeInMainWorld(key, api) {
    exposed.set(key, api);
    const entries = Object.entries(api);
    const functions = entries.filter(([, value]) => typeof value === 'function').map(([name]) => name);
    const values = Object.fromEntries(entries.filter(([, value]) => typeof value !== 'function'));
    dispatch('stand-in:expose', { key, functions, values });
  },
};

function dispatch(type, detail) {
  window.dispatchEvent(new CustomEvent(type, { detail }));
}

window.addEventListener('stand-in:call', ({ detail: { id, path, args } }) => {
  const [key, name] = path;
  try {
    const value = exposed.get(key)[name](...args);
    if (!(value instanceof Promise)) return dispatch('stand-in:answer', { id, value });
    value.then(
      (settled) => dispatch('stand-in:settled', { id, value: settled }),
      (error) => dispatch('stand-in:settled', { id, error: error.message }),
    );
    dispatch('stand-in:answer', { id, later: true });
  } catch (error) {
    dispatch('stand-in:answer', { id, error: error.message });
  }
});

/** A port that came with a message: one end for the page, the other bridged to the main process. */
function openPort(id) {
  const { port1, port2 } = new MessageChannel();
  ports.set(id, port1);
  port1.onmessage = (event) => tell({ type: 'port-message', port: id, data: event.data });
  port1.onclose = () => {
    if (ports.delete(id)) tell({ type: 'port-closed', port: id });
  };
  return port2;
}

const receivers = {
  message({ channel, args, ports: ids }) {
    const event = { ports: ids.map(openPort), sender: ipcRenderer };
    for (const listener of listeners.get(channel) ?? []) listener(event, ...args);
  },
  reply({ id, value, error }) {
    const { resolve, reject } = invocations.get(id);
    invocations.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  },
  'port-message'({ port, data }) {
    ports.get(port)?.postMessage(data);
  },
  'port-close'({ port }) {
    const own = ports.get(port);
    ports.delete(port);
    own?.close();
  },
};

globalThis.standInReceive = (text) => {
  const message = codec.decode(text);
  receivers[message.type](message);
};

tell({ type: 'hello' });
runPreload(
  (name) => {
    if (name === 'electron') return { contextBridge, ipcRenderer };
    // Electron has a few more for a sandboxed preload; ours needs none of them, and of Node's modules it gets none.
    throw new Error(`module not found: ${name}`);
  },
  Object.freeze({ platform, type: 'renderer', sandboxed: true, contextIsolated: true }),
);
