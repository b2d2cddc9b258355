import { z } from 'zod';
import { delay } from './parts.ts';

/** Faults of connections: before a byte has passed, or by how a connection ends. */

export const RefuseFaultSchema = z.strictObject({ type: z.literal('refuse') }).meta({
  title: 'Refuse',
  scope: 'connection',
  icon: 'ban',
  description:
    'As if nothing listened at the upstream: a connection of its own is reset at once, a call through the proxy gets 502.',
});

export const SilenceFaultSchema = z.strictObject({ type: z.literal('silence') }).meta({
  title: 'Silence',
  scope: 'connection',
  icon: 'volume-x',
  description:
    'The connection is accepted, what comes is taken, and nothing is ever answered; the upstream hears nothing.',
});

export const DnsFailureFaultSchema = z
  .strictObject({
    type: z.literal('dns-failure'),
    answer: z.enum(['nxdomain', 'servfail', 'timeout']).default('nxdomain').meta({
      title: 'Answer',
      description:
        'nxdomain: there is no such name; servfail: the name server failed; timeout: it says nothing for `Delay`.',
    }),
    delayMs: delay(
      'Delay',
      0,
      'Before the look-up fails; for a time-out, how long it lasts (5,000 when 0).',
    ).default(0),
  })
  .meta({ title: 'DNS failure', scope: 'connection', icon: 'search-x' });

export const ConnectTimeoutFaultSchema = z
  .strictObject({
    type: z.literal('connect-timeout'),
    afterMs: delay('After', 10_000, 'How long connecting to the upstream lasts before it is given up.'),
  })
  .meta({ title: 'Connect time-out', scope: 'connection', icon: 'plug-zap' });

const cutPlaces = z.enum(['start', 'before-head', 'after-head', 'mid-body']).default('before-head').meta({
  title: 'When',
  description:
    'start: as the connection or call begins; before-head: when the response has begun, before its head is passed on; after-head: with the head passed on and no body; mid-body: after half of the body.',
});

export const ResetFaultSchema = z
  .strictObject({ type: z.literal('reset'), at: cutPlaces })
  .meta({ title: 'Reset', scope: 'connection', icon: 'unplug' });

export const CloseFaultSchema = z.strictObject({ type: z.literal('close'), at: cutPlaces }).meta({
  title: 'Close',
  scope: 'connection',
  icon: 'x-octagon',
  description: 'As reset, but with an orderly end (FIN).',
});

export const HalfCloseFaultSchema = z
  .strictObject({
    type: z.literal('half-close'),
    direction: z.enum(['request', 'response']).default('response').meta({
      title: 'Direction',
      description: 'Whose way is closed with a FIN: bytes of the other direction still pass.',
    }),
    afterMs: delay('After', 0, 'From the beginning of the connection or call.').default(0),
  })
  .meta({ title: 'Half-close', scope: 'connection', icon: 'log-out' });
