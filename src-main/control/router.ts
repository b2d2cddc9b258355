import { agent } from './agent.ts';
import { captures } from './captures.ts';
import { os } from './context.ts';
import { flows } from './flows.ts';
import { held } from './held.ts';
import { passthrough } from './passthrough.ts';
import { routes } from './routes.ts';
import { rules } from './rules.ts';
import { scenarios } from './scenarios.ts';
import { topology } from './topology.ts';

/** The contract, implemented: the compiler refuses it while a procedure is missing. */
export const router = os.router({
  flows,
  rules,
  held,
  scenarios,
  routes,
  topology,
  captures,
  passthrough,
  agent,
});
export type ControlRouter = typeof router;
