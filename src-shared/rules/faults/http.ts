import { z } from 'zod';
import { delay, direction, fieldName, fieldValue, longestBody } from './parts.ts';

/** Faults of an HTTP exchange, of whichever version. */

const headers = z.record(fieldName, fieldValue).default({}).meta({ title: 'Headers' });

export const StatusFaultSchema = z
  .strictObject({
    type: z.literal('status'),
    status: z.int().min(200).max(599).meta({ title: 'Status', default: 503 }),
    headers,
    body: z.string().max(longestBody).default('').meta({ title: 'Body', multiline: true }),
  })
  .meta({ title: 'HTTP status', scope: 'exchange', icon: 'circle-alert' });

export const TooManyFaultSchema = z
  .strictObject({
    type: z.literal('too-many'),
    calls: z
      .int()
      .min(1)
      .max(1_000_000)
      .meta({ title: 'Quota', default: 10, description: 'Calls that pass in each window.' }),
    perMs: z.int().min(100).max(86_400_000).default(1000).meta({ title: 'Window', unit: 'ms' }),
    body: z.string().max(longestBody).default('').meta({ title: 'Body', multiline: true }),
  })
  .meta({
    title: 'Quota (429)',
    scope: 'exchange',
    icon: 'gauge-circle',
    description:
      'Calls over the quota get 429 with Retry-After: the seconds until the window ends, rounded up. Counted exactly over all workers.',
  });

export const DelayFaultSchema = z
  .strictObject({
    type: z.literal('delay'),
    what: z.enum(['first-byte', 'body']).default('first-byte').meta({
      title: 'What waits',
      description:
        'first-byte: the head of the answer, once it is there; body: the head passes, its body waits.',
    }),
    delayMs: delay('Delay', 2000),
  })
  .meta({ title: 'Delay', scope: 'exchange', icon: 'alarm-clock' });

export const SlowHeadFaultSchema = z
  .strictObject({
    type: z.literal('slow-head'),
    direction,
    bytesPerSecond: z.int().min(1).max(1_000_000).meta({ title: 'Rate', unit: 'B/s', default: 20 }),
  })
  .meta({
    title: 'Slow head',
    scope: 'exchange',
    icon: 'turtle',
    description: 'The head trickles; the body follows at full speed.',
  });

export const HeadersFaultSchema = z
  .strictObject({
    type: z.literal('headers'),
    direction,
    set: z
      .record(fieldName, fieldValue)
      .default({})
      .meta({ title: 'Set', description: 'Replaces fields of that name, or adds one.' }),
    remove: z.array(fieldName).max(100).default([]).meta({ title: 'Remove' }),
  })
  .meta({ title: 'Headers', scope: 'exchange', icon: 'list' });

export const BodyFaultSchema = z
  .strictObject({
    type: z.literal('body'),
    direction,
    how: z.enum(['replace', 'json-patch', 'regex']).default('replace').meta({
      title: 'How',
      description:
        'json-patch: RFC 6902, in the text; regex: the pattern is replaced by the text ($1 as in JavaScript).',
    }),
    pattern: z
      .string()
      .max(2048)
      .default('')
      .meta({ title: 'Pattern', description: 'For regex: a regular expression, global.' }),
    text: z.string().max(longestBody).default('').meta({ title: 'Text', multiline: true }),
  })
  .meta({
    title: 'Body',
    scope: 'exchange',
    icon: 'file-pen',
    description:
      'The body is read whole, up to 10 MiB, decompressed, changed and compressed again; what is longer or cannot be read passes as it is, and the flow says so.',
  });

export const WrongLengthFaultSchema = z
  .strictObject({
    type: z.literal('wrong-length'),
    by: z.int().min(-1_000_000_000).max(1_000_000_000).meta({
      title: 'By',
      unit: 'B',
      default: 10,
      description:
        'Added to Content-Length: positive, the client waits for more than comes; negative, it takes less.',
    }),
  })
  .meta({ title: 'Wrong length', scope: 'exchange', icon: 'ruler' });

export const BadChunkFaultSchema = z
  .strictObject({
    type: z.literal('bad-chunk'),
    how: z.enum(['bad-size', 'missing-end', 'short-chunk']).default('bad-size').meta({
      title: 'How',
      description:
        'bad-size: a size that is no number; missing-end: closed without the last chunk; short-chunk: less than its size says.',
    }),
  })
  .meta({
    title: 'Bad chunk',
    scope: 'exchange',
    icon: 'puzzle',
    description: 'HTTP/1.1 only: the answer is sent chunked, and broken.',
  });

export const TruncatedGzipFaultSchema = z
  .strictObject({
    type: z.literal('truncated-gzip'),
    keepPercent: z.int().min(0).max(99).default(50).meta({ title: 'Keep', unit: '%', default: 50 }),
  })
  .meta({
    title: 'Truncated gzip',
    scope: 'exchange',
    icon: 'file-archive',
    description: 'The answer is compressed with gzip and ends early, with a framing that says it is whole.',
  });

export const RedirectUpstreamFaultSchema = z
  .strictObject({
    type: z.literal('redirect-upstream'),
    to: z
      .string()
      .regex(/^https?:\/\/[^\s/]+$/, 'Expected http://host:port or https://host:port.')
      .meta({
        title: 'To',
        description: 'Another upstream that gets the call in place of the one that was meant.',
      }),
  })
  .meta({ title: 'Another upstream', scope: 'exchange', icon: 'split' });

export const FileAnswerFaultSchema = z
  .strictObject({
    type: z.literal('file-answer'),
    path: z.string().min(1).max(1024).meta({ title: 'File', description: 'Relative to the workspace file.' }),
    status: z.int().min(200).max(599).default(200).meta({ title: 'Status' }),
    headers,
  })
  .meta({ title: 'Answer from a file', scope: 'exchange', icon: 'file-down' });
