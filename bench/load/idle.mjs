// Keep-alive connections that have asked once and then are idle: node idle.mjs PORT TARGET CONNECTIONS
// Says READY when all are, and holds them until its standard input ends; then how many are OPEN still.
import { connect } from 'node:net';
import { answerReader } from './answers.mjs';

const [port, target, connections] = process.argv.slice(2);
const request = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n`);
const atOnce = 32;
let opened = 0;
let answered = 0;
let lost = 0;
let closed = 0;

function one() {
  if (opened >= Number(connections)) return;
  opened += 1;
  const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
  const read = answerReader(() => {
    answered += 1;
    if (answered === Number(connections)) console.log(`READY ${lost}`);
    one();
  });
  socket.on('connect', () => socket.write(request));
  socket.on('data', read);
  socket.on('error', () => (lost += 1));
  socket.on('close', () => (closed += 1));
}

for (let index = 0; index < atOnce; index += 1) one();
process.stdin
  .on('end', () => {
    console.log(`OPEN ${opened - closed}`);
    process.exit(0);
  })
  .resume();
