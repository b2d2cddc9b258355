import { z } from 'zod';
import { jsonPatchProblem, jsonProblem } from '../json-patch.ts';
import { expressionProblem, longestPattern } from '../pattern.ts';
import { delay, direction, fieldName, fieldValue, longestBody } from './parts.ts';

/** Faults of an HTTP exchange, of whichever version. They never touch tunnels; of an upgrade, the handshake only. */

/** Fields that say where a message ends, or are about one connection: Spike's own. */
const ownFields = new Set([
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

const changeableName = fieldName.refine((name) => !ownFields.has(name.toLowerCase()), {
  error: ({ input }) =>
    `${String(input)} is about framing or the connection, and is Spike's own. For broken framing there are "wrong-length" and "bad-chunk".`,
});

const headers = z.record(fieldName, fieldValue).default({}).meta({ title: 'Headers' });

export const StatusFaultSchema = z
  .strictObject({
    type: z.literal('status'),
    status: z.int().min(200).max(599).meta({ title: 'Status', default: 503 }),
    headers,
    body: z.string().max(longestBody).default('').meta({ title: 'Body', multiline: true }),
  })
  .meta({ title: 'HTTP status', scope: 'exchange', icon: 'circle-alert' });

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
      .record(changeableName, fieldValue)
      .default({})
      .meta({ title: 'Set', description: 'Replaces fields of that name, or adds one.' }),
    remove: z.array(changeableName).max(100).default([]).meta({ title: 'Remove' }),
  })
  .superRefine(({ set, remove }, context) => {
    if (Object.keys(set).length + remove.length > 0) return;
    context.addIssue({ code: 'custom', path: ['set'], message: 'Expected fields to set or to remove.' });
  })
  .meta({
    title: 'Headers',
    scope: 'exchange',
    icon: 'list',
    description: 'Fields of a head are set and removed.',
  });

export const BodyFaultSchema = z
  .strictObject({
    type: z.literal('body'),
    direction,
    how: z.enum(['replace', 'json-patch', 'json-merge', 'regex']).default('replace').meta({
      title: 'How',
      description:
        'replace: by the text; json-patch, json-merge: the text is a patch of RFC 6902, or of RFC 7396; regex: every match of the pattern becomes the text ($1 as in JavaScript).',
    }),
    pattern: z
      .string()
      .max(longestPattern)
      .default('')
      .meta({ title: 'Pattern', description: 'For regex: a regular expression of RE2.' }),
    text: z.string().max(longestBody).default('').meta({ title: 'Text', multiline: true }),
  })
  .superRefine(({ how, pattern, text }, context) => {
    const [path, message] = bodyProblem(how, pattern, text) ?? [];
    if (path !== undefined && message !== undefined)
      context.addIssue({ code: 'custom', path: [path], message });
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
    by: z
      .int()
      .min(-1_000_000_000)
      .max(1_000_000_000)
      .refine((by) => by !== 0, 'Expected a number other than 0.')
      .meta({
        title: 'By',
        unit: 'B',
        default: 10,
        description:
          'Added to Content-Length: positive, the client waits for more than comes; negative, it takes less.',
      }),
    then: z.enum(['close', 'wait']).default('close').meta({
      title: 'Then',
      description:
        'What becomes of the connection behind the body. close: it is closed; wait: it stays open until the client gives up. In HTTP/2, close: the stream ends.',
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
    keepPercent: z.int().min(0).max(99).default(50).meta({ title: 'Keep', unit: '%' }),
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
      .max(300)
      .refine(isOrigin, 'Expected http://host:port or https://host:port, without a path.')
      .meta({
        title: 'To',
        description: 'Another upstream that gets the call in place of the one that was meant.',
      }),
  })
  .meta({
    title: 'Another upstream',
    scope: 'exchange',
    icon: 'split',
    description: 'The call goes elsewhere; Host follows.',
  });

export const FileAnswerFaultSchema = z
  .strictObject({
    type: z.literal('file-answer'),
    path: z.string().min(1).max(1024).meta({
      title: 'File',
      description:
        'Relative to the workspace file, in its folder or below; at most 1 MiB. Read when the rule is turned on.',
    }),
    status: z.int().min(200).max(599).default(200).meta({ title: 'Status' }),
    headers,
  })
  .meta({
    title: 'Answer from a file',
    scope: 'exchange',
    icon: 'file-down',
    description: 'A file answers in place of the upstream, which is not asked.',
  });

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host, username, password } = new URL(text);
  const isPlain = username === '' && password === '' && host !== '';
  return isPlain && /^https?:$/.test(protocol) && /^https?:\/\/[^\s/?#@]+$/i.test(text);
}

function bodyProblem(how: string, pattern: string, text: string): [string, string] | null {
  if (how === 'regex') {
    const problem = pattern === '' ? 'Expected a regular expression.' : expressionProblem(pattern);
    return problem === null ? null : ['pattern', problem];
  }
  if (pattern !== '') return ['pattern', 'A pattern is for how: regex.'];
  const problem =
    how === 'json-patch' ? jsonPatchProblem(text) : how === 'json-merge' ? jsonProblem(text) : null;
  return problem === null ? null : ['text', problem];
}

export { AskedByHeaderFaultSchema } from './asked.ts';
