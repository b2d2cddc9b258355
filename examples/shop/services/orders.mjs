import { randomBytes } from 'node:crypto';
import { call, peer } from '../platform/call.mjs';
import { products } from '../platform/products.mjs';
import { Recent } from '../platform/recent.mjs';
import { problem, serve } from '../platform/service.mjs';

// The catalogue, carts and orders.

const inventory = peer('inventory');
const pageSize = 128;
const bySku = new Map(products.map((product) => [product.sku, product]));
const carts = new Recent();
const orders = new Recent();

async function catalogue({ query, takes }) {
  await takes(8);
  const page = Number(query.get('page') ?? 1);
  const shown = products.slice((page - 1) * pageSize, page * pageSize);
  if (shown.length === 0)
    return problem(404, 'no-such-page', `There are ${products.length / pageSize} pages.`);
  return {
    cacheable: true,
    body: { page, pages: products.length / pageSize, total: products.length, products: shown },
  };
}

async function product({ params: { sku }, trace, takes }) {
  const found = bySku.get(sku);
  if (found === undefined) return problem(404, 'unknown-sku', `There is no ${sku}.`);
  await takes(2);
  const { body } = await call(inventory, `GET /v1/items/${sku}`, { trace, timeoutMs: 2000, retries: 1 });
  return { cacheable: true, body: { ...found, stock: body } };
}

async function putCart({ params: { id }, body, takes }) {
  const lines = body?.lines;
  const fine = Array.isArray(lines) && lines.every(({ sku, quantity }) => bySku.has(sku) && quantity > 0);
  if (!fine)
    return problem(422, 'bad-lines', 'Expected { lines: [{ sku, quantity }] } of products that exist.');
  await takes(4);
  const priced = lines.map(({ sku, quantity }) => ({ ...bySku.get(sku), quantity })).map(lineOf);
  carts.set(id, { id, lines: priced, total: totalOf(priced) });
  return { body: carts.get(id) };
}

const lineOf = ({ sku, name, quantity, price, weightGrams }) => ({ sku, name, quantity, price, weightGrams });

function totalOf(lines) {
  return {
    value: lines.reduce((sum, { price, quantity }) => sum + price.value * quantity, 0),
    currency: 'EUR',
  };
}

async function getCart({ params: { id }, takes }) {
  await takes(2);
  return carts.has(id) ? { body: carts.get(id) } : problem(404, 'unknown-cart', `There is no cart ${id}.`);
}

async function place({ body, trace, takes }) {
  if (!carts.has(body?.cartId)) return problem(404, 'unknown-cart', `There is no cart ${body?.cartId}.`);
  const { lines, total } = carts.get(body.cartId);
  // One call for each line, one after the other: the N+1 that hides in many a shop. Spike shows it as it is.
  const picked = [];
  for (const line of lines) {
    const stock = await call(inventory, `GET /v1/items/${line.sku}`, { trace, timeoutMs: 2000, retries: 1 });
    picked.push({ ...line, from: stock.body.warehouse });
  }
  await takes(9);
  const { payment, shipping, reservation } = body;
  const id = `o_${randomBytes(5).toString('hex')}`;
  orders.set(id, { id, status: 'placed', lines: picked, total, payment, shipping, reservation });
  carts.delete(body.cartId);
  return { status: 201, body: orders.get(id), headers: { location: `/v1/orders/${id}` } };
}

async function find({ params: { id }, takes }) {
  await takes(5);
  if (!orders.has(id)) return problem(404, 'unknown-order', `There is no order ${id}.`);
  return { cacheable: true, body: orders.get(id) };
}

serve('orders', {
  'GET /v1/catalogue': catalogue,
  'GET /v1/catalogue/:sku': product,
  'PUT /v1/carts/:id': putCart,
  'GET /v1/carts/:id': getCart,
  'POST /v1/orders': place,
  'GET /v1/orders/:id': find,
});
