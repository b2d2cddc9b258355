// What the load generators share: reading answers with a length, opening tunnels, and the one line of JSON at the end.
import { connect } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';

// The peers' certificates come from CAs of their own: what is measured is not whether they are trusted.
const secureContext = createSecureContext({});

/** Feeds on bytes; calls back for each whole answer, with whether it was a 200. Answers have a Content-Length or are chunked. */
export function answerReader(onAnswer) {
  let pending = Buffer.alloc(0);
  return (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = pending.toString('latin1', 0, end + 2);
      const next = endOfBody(head, pending, end + 4);
      if (next < 0 || next > pending.length) return;
      pending = pending.subarray(next);
      onAnswer(head.slice(9, 12) === '200');
    }
  };
}

/** Index behind the body; -1 while that is not known. */
function endOfBody(head, bytes, at) {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (length !== null) return at + Number(length[1]);
  // The one answer in chunks that peers make of the origin's: no chunk of it holds this.
  const last = bytes.indexOf('0\r\n\r\n', at);
  return last < 0 ? -1 : last + 5;
}

/** TLS to `host`, through CONNECT at `proxyPort`, or straight to the origin's port when that is 'direct'. */
export function openTls({ proxyPort, host, port, opened, failed }) {
  const direct = proxyPort === 'direct';
  const socket = connect({ host: '127.0.0.1', port: Number(direct ? port : proxyPort), noDelay: true });
  socket.on('error', failed);
  if (direct) return speak(socket, host, opened, failed);
  const target = `${host}:${port}`;
  socket.on('connect', () => socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`));
  let head = '';
  const onData = (bytes) => {
    head += bytes.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    socket.off('data', onData);
    if (/^HTTP\/1\.\d 200/.test(head)) speak(socket, host, opened, failed);
    else failed(new Error(head.slice(0, 30)));
  };
  socket.on('data', onData);
}

function speak(socket, servername, opened, failed) {
  const ALPNProtocols = ['http/1.1'];
  const tls = connectTls({ socket, servername, rejectUnauthorized: false, ALPNProtocols, secureContext });
  tls.on('secureConnect', () => opened(tls));
  tls.on('error', failed);
}

/** @param latencies ms each. */
export function report(latencies, us, bytes, errors) {
  latencies.sort((a, b) => a - b);
  const at = (share) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 1000);
  console.log(
    `JSON${JSON.stringify({ calls: latencies.length, us, bytes, p50: at(0.5), p99: at(0.99), errors })}`,
  );
  process.exit(0);
}
