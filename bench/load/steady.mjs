// So many requests a second, evenly, over keep-alive connections in turns: node steady.mjs PORT TARGET CONNECTIONS RATE SECONDS
import { connect } from 'node:net';
import { answerReader, report } from './answers.mjs';

const [port, target, connections, rate, seconds] = process.argv.slice(2);
const request = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n`);
const latencies = [];
const free = [];
let errors = 0;
let opened = 0;

for (let index = 0; index < Number(connections); index += 1) {
  const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
  const connection = { socket, sentAt: 0 };
  const read = answerReader((fine) => {
    latencies.push(performance.now() - connection.sentAt);
    if (!fine) errors += 1;
    free.push(connection);
  });
  socket.on('data', read);
  socket.on('error', () => (errors += 1));
  socket.on('connect', () => {
    free.push(connection);
    if (++opened === Number(connections)) begin();
  });
}

function begin() {
  const beganAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - beganAt >= Number(seconds) * 1000) {
      clearInterval(timer);
      return report(latencies, Math.round((now - beganAt) * 1000), latencies.length * 1024, errors);
    }
    // What no connection is free for is sent later: the rate is the same for all, as long as they keep up.
    const due = Math.floor(((now - beganAt) / 1000) * Number(rate));
    for (; sent < due && free.length > 0; sent += 1) {
      const connection = free.shift();
      connection.sentAt = now;
      connection.socket.write(request);
    }
  }, 1);
}
