import net from 'node:net';
import { CallFailed } from './call.mjs';

const mostIdle = 8;

/**
 * A client of stock-db: one command at a time on a connection, idle connections kept for the next.
 * @param {{ name: string, url: URL }} peer
 * @param {number} timeoutMs for connecting and for each command
 */
export function createStockClient(peer, timeoutMs) {
  const idle = [];

  async function connection() {
    const kept = idle.pop();
    if (kept !== undefined) return kept;
    const socket = net.connect({ host: peer.url.hostname, port: Number(peer.url.port), noDelay: true });
    socket.setEncoding('latin1');
    // An idle connection that ends must not be handed out again.
    socket.on('close', () => idle.includes(socket) && idle.splice(idle.indexOf(socket), 1));
    socket.on('error', () => {}); // while idle; during a command, `exchange` hears it too
    return socket;
  }

  /**
   * @param {string} line such as 'GET SKU-1001'
   * @returns {Promise<{ verdict: string, count: number }>} verdict: STOCK, OK, SHORT, NONE or ERR
   * @throws {CallFailed}
   */
  async function command(line) {
    const socket = await connection();
    try {
      const [verdict, , count] = (await exchange(socket, line)).split(' ');
      if (idle.length < mostIdle && !socket.destroyed) idle.push(socket);
      else socket.destroy();
      return { verdict, count: Number(count) };
    } catch (error) {
      socket.destroy(); // its next line might be the answer to this command
      throw error;
    }
  }

  function exchange(socket, line) {
    const { promise, resolve, reject } = Promise.withResolvers();
    let received = '';
    const fail = (reason, timedOut = false) => reject(new CallFailed(peer, reason, timedOut));
    const listeners = {
      data: (text) => (received += text).endsWith('\n') && resolve(received.trim()),
      error: (error) => fail(error.code ?? error.message),
      close: () => fail('closed the connection'),
    };
    for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`, true), timeoutMs);
    socket.write(`${line}\n`);
    return promise.finally(() => {
      clearTimeout(timer);
      for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
    });
  }

  return { command };
}
