import { os } from './context.ts';

const list = os.routes.list.handler(({ context }) => [...context.engine.routes.list()]);
const create = os.routes.create.handler(({ input, context }) => context.engine.routes.create(input));

const remove = os.routes.remove.handler(async ({ input, context }) => {
  await context.engine.routes.remove(input.name);
  return { removed: input.name };
});

export const routes = { list, create, remove };
