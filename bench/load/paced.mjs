// One keep-alive connection, so many requests a second, evenly: node paced.mjs PORT TARGET RATE SECONDS
import { connect } from 'node:net';
import { answerReader, report } from './answers.mjs';

const [port, target, rate, seconds] = process.argv.slice(2);
const request = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n`);
const gapMs = 1000 / Number(rate);
const latencies = [];
let errors = 0;
let sentAt = 0;
let busy = false;
const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
socket.on('error', () => (errors += 1));
socket.on('close', () => (errors += 1));
const read = answerReader((fine) => {
  latencies.push(performance.now() - sentAt);
  if (!fine) errors += 1;
  busy = false;
});
socket.on('data', read);
const endAt = performance.now() + Number(seconds) * 1000;
let dueAt = performance.now();

function tick() {
  const now = performance.now();
  if (now >= endAt)
    return report(latencies, Math.round(Number(seconds) * 1e6), latencies.length * 1024, errors);
  dueAt = Math.max(dueAt + gapMs, now);
  if (!busy) {
    busy = true;
    sentAt = performance.now();
    socket.write(request);
  }
  setTimeout(tick, Math.max(0, dueAt - performance.now()));
}
socket.on('connect', tick);
