import { printDuration } from '../rules/duration.ts';
import { literalPattern } from '../rules/pattern.ts';
import { ScenarioSchema } from './scenario.ts';
import type { Scenario } from './scenario.ts';

export interface RollingRestart {
  /** In the order in which they go away. At least one. */
  readonly services: readonly string[];
  /** How long each of them is away. */
  readonly awayMs: number;
  /** From one that is back to the next that goes; also before the first and after the last. */
  readonly betweenMs: number;
}

/** As a deployment does it: one service after the other is away for a while, and refuses connections meanwhile. */
export function rollingRestart(name: string, { services, awayMs, betweenMs }: RollingRestart): Scenario {
  const steps = services.map((service, index) => ({
    at: printDuration(betweenMs + index * (awayMs + betweenMs)),
    for: printDuration(awayMs),
    rule: {
      name: `${service} restarts`,
      match: { callee: literalPattern(service) },
      faults: [{ type: 'refuse' as const }],
    },
  }));
  const duration = printDuration(betweenMs + services.length * (awayMs + betweenMs));
  return ScenarioSchema.parse({ name, duration, steps });
}
