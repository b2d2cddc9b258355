import { os } from './context.ts';

const list = os.passthrough.list.handler(({ context }) => [...context.engine.passthrough.list()]);

const forget = os.passthrough.forget.handler(async ({ input, context }) => {
  await context.engine.passthrough.forget(input.id);
  return { forgotten: input.id };
});

export const passthrough = { list, forget };
