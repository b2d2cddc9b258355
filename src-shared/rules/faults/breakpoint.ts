import { z } from 'zod';
import { longestDelayMs } from './parts.ts';

/** Faults by hand: somebody looks at a call and decides what becomes of it. */

export const BreakpointFaultSchema = z
  .strictObject({
    type: z.literal('breakpoint'),
    at: z.enum(['request', 'response']).default('request').meta({
      title: 'Where',
      description:
        'request: before the upstream hears of the call; response: before the caller gets the answer. To hold both, a rule has two of them.',
    }),
    timeoutMs: z.int().min(1000).max(longestDelayMs).default(60_000).meta({
      title: 'Time-out',
      unit: 'ms',
      default: 60_000,
      description: 'How long a call is held when nobody decides.',
    }),
    onTimeout: z.enum(['release', 'drop']).default('release').meta({
      title: 'Then',
      description:
        "What becomes of it then. release: it goes on as it came; drop: the caller's connection or stream is reset.",
    }),
  })
  .meta({
    title: 'Breakpoint',
    scope: 'exchange',
    icon: 'hand',
    description:
      'The request or the response is held until somebody releases it, edited or not, drops it or answers it.',
  });
