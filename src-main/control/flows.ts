import type { StoredBody } from '../engine/engine-interface.ts';
import { attachment, isOn } from './attachment.ts';
import { os } from './context.ts';

const list = os.flows.list.handler(async ({ input, context }) => {
  const { view, ...query } = input;
  const { flows } = context.engine;
  const page = view === 'summary' ? await flows.summaries(query) : await flows.list(query);
  return { flows: [...page.rows], next: page.next };
});

const summaries = os.flows.summaries.handler(async ({ input, context }) => {
  const { flows } = context.engine;
  const [page, count] = await Promise.all([flows.summaries(input), flows.count(input.filter)]);
  return { rows: [...page.rows], next: page.next, total: count.matching };
});

const count = os.flows.count.handler(({ input, context }) => context.engine.flows.count(input.filter));
const get = os.flows.get.handler(({ input, context }) => context.engine.flows.get(input.id));

const body = os.flows.body.handler(async ({ input, context }) => {
  const decoded = isOn(input.decoded);
  const stored = await context.engine.flows.body(input.id, input.side, decoded);
  if (stored.truncated) context.resHeaders?.set('x-spike-truncated', '1');
  const name = `${input.id}-${input.side}`;
  return attachment(stored.bytes, {
    name,
    type: typeOfBody(stored, decoded),
    resHeaders: context.resHeaders,
  });
});

const messages = os.flows.messages.handler(({ input, context }) => {
  const { id, after, limit } = input;
  return context.engine.flows.messages(id, { after, limit });
});

const clear = os.flows.clear.handler(async ({ context }) => ({
  removed: await context.engine.flows.clear(),
}));

/** Bytes whose coding was left on are not what their content type says. */
function typeOfBody(stored: StoredBody, decoded: boolean): string {
  const coded = stored.contentEncoding !== null && !decoded;
  return coded ? 'application/octet-stream' : (stored.contentType ?? 'application/octet-stream');
}

export const flows = { list, summaries, count, get, body, messages, clear };
