import { os } from './context.ts';

const list = os.held.list.handler(({ context }) => [...context.engine.held.list()]);
const get = os.held.get.handler(({ input, context }) => context.engine.held.get(input.id));

const release = os.held.release.handler(async ({ input: { params, body }, context }) => ({
  id: params.id,
  outcome: await context.engine.held.release(params.id, body),
}));

const drop = os.held.drop.handler(async ({ input: { id }, context }) => ({
  id,
  outcome: await context.engine.held.drop(id),
}));

const answer = os.held.answer.handler(async ({ input: { params, body }, context }) => ({
  id: params.id,
  outcome: await context.engine.held.answer(params.id, body),
}));

const releaseAll = os.held.releaseAll.handler(async ({ context }) => ({
  released: await context.engine.held.releaseAll(),
}));

export const held = { list, get, release, drop, answer, releaseAll };
