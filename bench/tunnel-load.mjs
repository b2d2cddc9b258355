// Load through CONNECT and TLS: node tunnel-load.mjs PROXY_PORT|direct ORIGIN_TLS_PORT CONNECTIONS SECONDS
// One keep-alive request after the other on each connection; prints one line of JSON as wrk.lua does.
import { connect } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';

const [proxyPort, originPort, connections, seconds] = process.argv.slice(2);
const target = `localhost:${originPort}`;
const request = Buffer.from(`GET /1k HTTP/1.1\r\nHost: ${target}\r\nAccept: */*\r\n\r\n`);
// The peers' certificates come from CAs of their own: what is measured is not whether they are trusted.
const secureContext = createSecureContext({});
const latencies = [];
let errors = 0;
let measuring = false;

function answerReader(onAnswer) {
  let pending = Buffer.alloc(0);
  return (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = pending.toString('latin1', 0, end + 2);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? NaN);
      if (Number.isNaN(length)) return void (errors += 1);
      if (pending.length < end + 4 + length) return;
      pending = pending.subarray(end + 4 + length);
      onAnswer(head.slice(9, 12) === '200');
    }
  };
}

function speak(socket) {
  const tls = connectTls({
    socket,
    servername: 'localhost',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    secureContext,
  });
  let sentAt = 0;
  const send = () => {
    sentAt = performance.now();
    tls.write(request);
  };
  tls.on('secureConnect', send);
  tls.on('error', () => (errors += 1));
  const read = answerReader((fine) => {
    if (measuring) {
      latencies.push(performance.now() - sentAt);
      if (!fine) errors += 1;
    }
    send();
  });
  tls.on('data', read);
}

function open() {
  const port = proxyPort === 'direct' ? originPort : proxyPort;
  const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
  socket.on('error', () => (errors += 1));
  if (proxyPort === 'direct') return speak(socket);
  socket.on('connect', () => socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`));
  let head = '';
  const onData = (bytes) => {
    head += bytes.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    socket.off('data', onData);
    if (/^HTTP\/1\.\d 200/.test(head)) speak(socket);
    else errors += 1;
  };
  socket.on('data', onData);
}

for (let index = 0; index < Number(connections); index += 1) open();
setTimeout(() => {
  measuring = true;
  const startedAt = performance.now();
  setTimeout(
    () => {
      const us = Math.round((performance.now() - startedAt) * 1000);
      latencies.sort((a, b) => a - b);
      const at = (share) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 1000);
      console.log(
        `JSON${JSON.stringify({ calls: latencies.length, us, p50: at(0.5), p99: at(0.99), errors })}`,
      );
      process.exit(0);
    },
    Number(seconds) * 1000,
  );
}, 1500);
