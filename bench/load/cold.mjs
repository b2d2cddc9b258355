// Names that nobody asked for before, one request each: node cold.mjs PROXY_PORT|direct ORIGIN_TLS_PORT PREFIX NAMES AT_ONCE
import { answerReader, openTls, report } from './answers.mjs';

const [proxyPort, port, prefix, names, atOnce] = process.argv.slice(2);
const latestMs = 60_000;
const latencies = [];
let errors = 0;
let next = 0;
let running = 0;
const startedAt = performance.now();

function one() {
  if (next >= Number(names)) {
    if (running === 0) end();
    return;
  }
  const host = `${prefix}-${next++}.bench.test`;
  const begunAt = performance.now();
  let over = false;
  running += 1;
  const done = (fine) => {
    if (over) return;
    over = true;
    running -= 1;
    if (fine) latencies.push(performance.now() - begunAt);
    else errors += 1;
    one();
  };
  const opened = (tls) => {
    tls.on('close', () => done(false));
    const read = answerReader((fine) => {
      done(fine);
      tls.destroy();
    });
    tls.on('data', read);
    tls.write(`GET /1k HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept: */*\r\n\r\n`);
  };
  openTls({ proxyPort, host, port, opened, failed: () => done(false) });
}

function end() {
  report(latencies, Math.round((performance.now() - startedAt) * 1000), 0, errors);
}

setTimeout(end, latestMs);
for (let index = 0; index < Number(atOnce); index += 1) one();
