import { os } from './context.ts';
import { durationMs } from './duration-text.ts';

const get = os.topology.get.handler(({ input, context }) =>
  context.engine.topology.get(durationMs(input.window)),
);

const edge = os.topology.edge.handler(({ input, context }) =>
  context.engine.topology.edge(input.id, durationMs(input.window)),
);

const stats = os.topology.stats.handler(({ input, context }) =>
  context.engine.topology.stats(durationMs(input.window)),
);

export const topology = { get, edge, stats };
