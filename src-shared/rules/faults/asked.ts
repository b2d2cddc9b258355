import { z } from 'zod';
import { DirectionSchema } from '../../flow/flow.ts';

/**
 * What Envoy's fault filter lets the caller itself ask for, call by call (docs: HTTP filters, fault injection, "controlling
 * fault injection via HTTP headers"). The names of the fields are Envoy's, so that its tests run unchanged.
 */
export const askingFields = {
  delay: 'x-envoy-fault-delay-request',
  status: 'x-envoy-fault-abort-request',
  'grpc-status': 'x-envoy-fault-abort-grpc-request',
  throughput: 'x-envoy-fault-throughput-response',
} as const;

/** How many of so many calls are meant: never more than the rule's own probability lets through. */
export const askingShareFields = {
  delay: 'x-envoy-fault-delay-request-percentage',
  status: 'x-envoy-fault-abort-request-percentage',
  'grpc-status': 'x-envoy-fault-abort-request-percentage',
  throughput: 'x-envoy-fault-throughput-response-percentage',
} as const;

export const AskedByHeaderFaultSchema = z
  .strictObject({
    type: z.literal('asked-by-header'),
    what: z.enum(['delay', 'status', 'grpc-status', 'throughput']).default('delay').meta({
      title: 'What',
      description:
        'delay: x-envoy-fault-delay-request (ms) before the request goes on; status, grpc-status: an answer by x-envoy-fault-abort-request or -abort-grpc-request; throughput: x-envoy-fault-throughput-response (KiB/s).',
    }),
    direction: DirectionSchema.default('request').meta({
      title: 'Direction',
      description:
        'Of a delay: what it holds. A call that also asks for an answer is held on the response, since no request goes on.',
    }),
    shareOf: z.int().min(1).max(1_000_000).default(100).meta({
      title: 'Share of',
      description: 'What the number in the field that ends with -percentage is out of.',
    }),
  })
  .meta({
    title: 'As the caller asks',
    scope: 'exchange',
    icon: 'message-square-quote',
    description: 'A delay, an answer or a rate that the call names itself, in the fields of Envoy.',
  });
