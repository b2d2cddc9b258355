import { call, peer } from '../platform/call.mjs';
import { Recent } from '../platform/recent.mjs';
import { serve } from '../platform/service.mjs';

// The front door. It waits for its peers for as long as they take: no timeout anywhere in this file, which is
// something to discover (turn on "payments is slow", then "stock-db hangs", and watch who waits for whom).

const orders = peer('orders');
const checkout = peer('checkout');
const pages = new Recent(16);

/** Keeps the last catalogue pages and asks orders only whether they are still right. */
async function list({ query, trace, takes }) {
  const page = query.get('page') ?? '1';
  const kept = pages.get(page);
  const headers = kept === undefined ? {} : { 'if-none-match': kept.etag };
  const answer = await call(orders, `GET /v1/catalogue?page=${encodeURIComponent(page)}`, { trace, headers });
  await takes(5);
  if (answer.status === 304) return { cacheable: true, body: kept.body };
  if (answer.status !== 200) return passOn(answer);
  pages.set(page, { etag: answer.headers.etag, body: answer.body });
  return { cacheable: true, body: answer.body };
}

async function show({ params: { sku }, trace, takes }) {
  await takes(2);
  return passOn(await call(orders, `GET /v1/catalogue/${encodeURIComponent(sku)}`, { trace }));
}

async function putCart({ params: { id }, body, trace, takes }) {
  await takes(2);
  return passOn(await call(orders, `PUT /v1/carts/${encodeURIComponent(id)}`, { trace, body }));
}

async function checkOut({ body, trace, takes }) {
  await takes(4);
  return passOn(await call(checkout, 'POST /v1/checkouts', { trace, body }));
}

async function order({ params: { id }, trace, takes }) {
  await takes(2);
  return passOn(await call(orders, `GET /v1/orders/${encodeURIComponent(id)}`, { trace }));
}

const passOn = ({ status, body, headers }) => ({
  status,
  body,
  cacheable: status === 200 && 'etag' in headers,
});

serve('web', {
  'GET /products': list,
  'GET /products/:sku': show,
  'PUT /cart/:id': putCart,
  'POST /checkout': checkOut,
  'GET /orders/:id': order,
});
