// Ports, and what listens on them.
import { connect, createServer } from 'node:net';

const attempts = 200;
const pauseMs = 100;

/** Resolves with whether something accepts connections there, at the latest after 20 s. */
export async function listens(port) {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return true;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return false;
}

/**
 * Below the system's ephemeral range: a client that polls a free port within it can be given that very port as its own,
 * and connects to itself.
 */
export function freePort() {
  return new Promise((resolve) => {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    server.on('error', () => resolve(freePort()));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}
