import net from 'node:net';
import readline from 'node:readline';
import { reportFailure, reportReady } from '../platform/lifeline.mjs';
import { portOf } from '../platform/ports.mjs';
import { products } from '../platform/products.mjs';

// A database-like peer: a line in, a line out, in order, over a connection that stays open.
//   GET sku        → STOCK sku n      RESERVE sku n → OK sku left, or SHORT sku left
//   RELEASE sku n  → OK sku left      anything else → ERR reason; an unknown sku → NONE sku

const restockEveryMs = 30_000;
const fullStock = new Map(products.map(({ sku, scarce }) => [sku, scarce ? 3 : 400]));
const stock = new Map(fullStock);

const commands = {
  GET: (sku) => `STOCK ${sku} ${stock.get(sku)}`,
  RESERVE: (sku, count) => {
    if (stock.get(sku) < count) return `SHORT ${sku} ${stock.get(sku)}`;
    stock.set(sku, stock.get(sku) - count);
    return `OK ${sku} ${stock.get(sku)}`;
  },
  RELEASE: (sku, count) => {
    stock.set(sku, Math.min(stock.get(sku) + count, fullStock.get(sku)));
    return `OK ${sku} ${stock.get(sku)}`;
  },
};

function answer(line) {
  const [verb, sku, count = '1'] = line.trim().split(' ');
  if (!Object.hasOwn(commands, verb)) return 'ERR unknown command';
  if (!/^[1-9]\d{0,5}$/.test(count)) return 'ERR not a count';
  return stock.has(sku) ? commands[verb](sku, Number(count)) : `NONE ${sku}`;
}

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {}); // a client that resets its connection is gone, which is all there is to know
  readline.createInterface({ input: socket }).on('line', (line) => socket.write(`${answer(line)}\n`));
});

// The lorry comes.
setInterval(() => fullStock.forEach((count, sku) => stock.set(sku, count)), restockEveryMs).unref();

server.on('error', reportFailure);
server.listen(Number(process.env.STOCK_DB_PORT ?? portOf('stock-db')), '127.0.0.1', () => {
  reportReady({ name: 'stock-db', port: server.address().port });
});
