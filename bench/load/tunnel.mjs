// Load through CONNECT and TLS: node tunnel.mjs PROXY_PORT|direct ORIGIN_TLS_PORT CONNECTIONS SECONDS
// One keep-alive request after the other on each connection.
import { answerReader, openTls, report } from './answers.mjs';

const [proxyPort, port, connections, seconds] = process.argv.slice(2);
const host = 'localhost';
const request = Buffer.from(`GET /1k HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept: */*\r\n\r\n`);
const warmUpMs = 1500;
const latencies = [];
let errors = 0;
let measuring = false;
const failed = () => (errors += 1);

function opened(tls) {
  let sentAt = 0;
  const send = () => {
    sentAt = performance.now();
    tls.write(request);
  };
  const read = answerReader((fine) => {
    if (measuring) latencies.push(performance.now() - sentAt);
    if (!fine) errors += 1;
    send();
  });
  tls.on('data', read);
  send();
}

for (let index = 0; index < Number(connections); index += 1)
  openTls({ proxyPort, host, port, opened, failed });
setTimeout(() => {
  measuring = true;
  const startedAt = performance.now();
  const end = () =>
    report(latencies, Math.round((performance.now() - startedAt) * 1000), latencies.length * 1024, errors);
  setTimeout(end, Number(seconds) * 1000);
}, warmUpMs);
