import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../platform/chance.mjs';
import { reportFailure } from '../platform/lifeline.mjs';
import { Recent } from '../platform/recent.mjs';
import { problem, serve } from '../platform/service.mjs';

// Charges cards and wallets. HTTPS only, with a certificate of the shop's own small CA (see certificate.mjs).

const certificates =
  process.env.SHOP_CERTIFICATES ?? fileURLToPath(new URL('../.certificates', import.meta.url));
const declineShare = Number(process.env.PAYMENTS_DECLINE_SHARE ?? 0.03);
const random = seededRandom(`${process.env.SHOP_SEED ?? 'shop'}:declines`);
const charges = new Recent();
const chargeByIdempotencyKey = new Recent();

async function charge({ params: { method }, body, headers, takes }) {
  if (method !== 'card' && method !== 'wallet')
    return problem(404, 'unknown-method', `Cannot charge a ${method}.`);
  if (!Number.isInteger(body?.amount?.value))
    return problem(400, 'no-amount', 'Expected amount.value in cents.');
  const key = headers['idempotency-key'];
  const known = chargeByIdempotencyKey.get(key);
  if (known !== undefined) return { status: 200, body: known };
  await takes(method === 'card' ? 110 : 60);
  if (random() < declineShare) return problem(402, 'declined', 'The bank declines, and does not say why.');
  const made = authorized(method, body);
  charges.set(made.id, made);
  if (key !== undefined) chargeByIdempotencyKey.set(key, made);
  return { status: 201, body: made, headers: { location: `/v1/charges/${made.id}` } };
}

function authorized(method, { reference, amount, card }) {
  return {
    id: `ch_${randomBytes(7).toString('base64url')}`,
    reference,
    status: 'authorized',
    amount,
    method:
      method === 'card'
        ? { brand: 'visa', number: card?.number, expires: card?.expires }
        : { brand: 'wallet' },
    risk: { score: Math.round(random() * 30) / 100, review: false },
    captured: null,
    createdAt: new Date().toISOString(),
  };
}

async function find({ params: { id }, takes }) {
  await takes(8);
  const found = charges.get(id);
  return found === undefined ? problem(404, 'unknown-charge', `There is no charge ${id}.`) : { body: found };
}

function certificate() {
  try {
    return {
      key: readFileSync(`${certificates}/payments-key.pem`),
      cert: readFileSync(`${certificates}/payments.pem`),
    };
  } catch (error) {
    reportFailure(
      `payments has no certificate in ${certificates} (${error.code}): run certificate.mjs first.`,
    );
    return undefined;
  }
}

const tls = certificate();
if (tls !== undefined)
  serve('payments', { 'POST /v1/charge/:method': charge, 'GET /v1/charges/:id': find }, { tls });
