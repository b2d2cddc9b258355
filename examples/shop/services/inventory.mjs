import { randomBytes } from 'node:crypto';
import { peer } from '../platform/call.mjs';
import { Recent } from '../platform/recent.mjs';
import { problem, serve } from '../platform/service.mjs';
import { createStockClient } from '../platform/stock-client.mjs';

// What is in stock, and putting it aside for an order. The numbers live in stock-db.

const stock = createStockClient(peer('stock-db'), 1500);
const reservations = new Recent();
const idByIdempotencyKey = new Recent();

async function item({ params: { sku }, takes }) {
  await takes(1);
  const { verdict, count } = await stock.command(`GET ${encodeURIComponent(sku)}`);
  if (verdict !== 'STOCK') return problem(404, 'unknown-sku', `There is no ${sku}.`);
  const site = Number(sku.slice(-1)) % 2 === 0 ? 'rotterdam-2' : 'leipzig-1';
  return {
    body: { sku, inStock: count, available: count > 0, warehouse: site, leadTimeDays: count > 0 ? 0 : 6 },
  };
}

async function reserve({ body, headers, takes }) {
  const key = headers['idempotency-key'];
  const known = reservations.get(idByIdempotencyKey.get(key));
  if (known !== undefined) return { status: 200, body: known };
  if (!Array.isArray(body?.lines))
    return problem(400, 'no-lines', 'Expected { lines: [{ sku, quantity }] }.');
  await takes(3);
  // Should stock-db fail half-way, what was taken stays taken until the next delivery: there is no transaction here.
  const taken = [];
  for (const line of body.lines) {
    const { verdict } = await stock.command(
      `RESERVE ${encodeURIComponent(line.sku)} ${Number(line.quantity)}`,
    );
    if (verdict !== 'OK') {
      await giveBack(taken);
      return verdict === 'SHORT'
        ? problem(409, 'sold-out', `There are not ${line.quantity} of ${line.sku} left.`)
        : problem(422, 'bad-line', `Cannot put aside ${line.quantity} of ${line.sku}.`);
    }
    taken.push(line);
  }
  const reservation = {
    id: `rs_${randomBytes(6).toString('base64url')}`,
    lines: taken,
    holdsForSeconds: 900,
  };
  reservations.set(reservation.id, reservation);
  if (key !== undefined) idByIdempotencyKey.set(key, reservation.id);
  return { status: 201, body: reservation, headers: { location: `/v1/reservations/${reservation.id}` } };
}

async function release({ params: { id } }) {
  const reservation = reservations.get(id);
  if (reservation === undefined) return problem(404, 'unknown-reservation', `There is no reservation ${id}.`);
  reservations.delete(id);
  await giveBack(reservation.lines);
  return { status: 204 };
}

async function giveBack(lines) {
  for (const { sku, quantity } of lines) await stock.command(`RELEASE ${sku} ${quantity}`);
}

serve('inventory', {
  'GET /v1/items/:sku': item,
  'POST /v1/reservations': reserve,
  'DELETE /v1/reservations/:id': release,
});
