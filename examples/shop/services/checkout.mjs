import { randomUUID } from 'node:crypto';
import { call, CallFailed, peer } from '../platform/call.mjs';
import { problem, serve } from '../platform/service.mjs';

// Turns a cart into an order. It copes with payments being away (3 s, then the order waits for its payment) and
// asks inventory twice; it does not cope with shipping being away.

const orders = peer('orders');
const inventory = peer('inventory');
const shipping = peer('shipping');
const payments = peer('payments');
const paymentTimeoutMs = 3000;

async function checkOut({ body, trace, takes }) {
  await takes(3);
  const cart = await call(orders, `GET /v1/carts/${encodeURIComponent(body?.cartId)}`, {
    trace,
    timeoutMs: 5000,
  });
  if (cart.status !== 200) return cart;

  const lines = cart.body.lines.map(({ sku, quantity }) => ({ sku, quantity }));
  const reserved = await call(inventory, 'POST /v1/reservations', {
    trace,
    timeoutMs: 2000,
    retries: 1,
    headers: { 'idempotency-key': randomUUID() },
    body: { lines },
  });
  if (reserved.status >= 400) return reserved;

  const quote = await cheapestQuote(cart.body, body.country ?? 'DE', trace);
  const amount = { value: cart.body.total.value + quote.price.value, currency: 'EUR' };
  const payment = await charge(
    { reference: body.cartId, amount, card: body.card, wallet: body.wallet },
    trace,
  );
  if (payment.status === 'declined') {
    await call(inventory, `DELETE /v1/reservations/${reserved.body.id}`, {
      trace,
      timeoutMs: 2000,
      retries: 1,
    });
    return problem(402, 'declined', 'The payment was declined; the cart is as it was.');
  }
  const order = await call(orders, 'POST /v1/orders', {
    trace,
    timeoutMs: 10_000,
    body: { cartId: body.cartId, reservation: reserved.body.id, shipping: quote, payment },
  });
  // 202: the order stands, its payment is still to come.
  return {
    status: order.status === 201 && payment.status === 'pending' ? 202 : order.status,
    body: order.body,
  };
}

async function cheapestQuote(cart, country, trace) {
  const weightGrams = cart.lines.reduce((sum, line) => sum + line.weightGrams * line.quantity, 0);
  const query = new URLSearchParams({ country, weightGrams: String(weightGrams) });
  const answer = await call(shipping, `GET /v1/quotes?${query}`, { trace, timeoutMs: 5000 });
  if (answer.status !== 200) throw new CallFailed(shipping, `answered ${answer.status}`, false);
  return answer.body.quotes.toSorted((a, b) => a.price.value - b.price.value)[0];
}

/** `pending` when payments cannot be had: better an order to be paid later than a shopper sent away. */
async function charge({ wallet, ...body }, trace) {
  try {
    const target = `POST /v1/charge/${wallet === undefined ? 'card' : 'wallet'}`;
    const headers = { 'idempotency-key': randomUUID() };
    const { status, body: made } = await call(payments, target, {
      trace,
      body,
      headers,
      timeoutMs: paymentTimeoutMs,
    });
    return status === 201 ? { status: 'authorized', chargeId: made.id } : { status: 'declined' };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    console.warn(`payment pending: ${error.message}`);
    return { status: 'pending', reason: error.timedOut ? 'timeout' : 'unavailable' };
  }
}

serve('checkout', { 'POST /v1/checkouts': checkOut });
