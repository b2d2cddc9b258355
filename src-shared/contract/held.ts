import { oc } from '@orpc/contract';
import { z } from 'zod';
import { fieldName, fieldValue } from '../rules/faults/parts.ts';

/** Calls that a breakpoint holds: what is seen of them, what may be changed, and what may be done with them. */

/** Over all workers; a call beyond passes, and its mark says so. */
export const mostHeldCalls = 200;
/** Bodies held, over all workers. */
export const mostHeldBytes = 64 * 1024 ** 2;
/** A longer body is not shown and cannot be edited: it waits behind its head, which can. */
export const longestHeldBodyBytes = 10 * 1024 ** 2;
/** How long a call whose caller has gone is still shown when nobody acts on it. */
export const goneShownMs = 10_000;

export const HeldSideSchema = z.enum(['request', 'response']);
export type HeldSide = z.infer<typeof HeldSideSchema>;

/** One call that is held, as a row of a list. */
export const HeldCallSchema = z.object({
  id: z
    .string()
    .meta({ description: 'Of this hold: a call that is held twice has two, one after the other.' }),
  flowId: z
    .string()
    .nullable()
    .meta({ description: 'The flow of the call, which is open while it is held.' }),
  ruleId: z.string(),
  ruleName: z.string(),
  at: HeldSideSchema.meta({ description: 'What is held.' }),
  heldAt: z.string().meta({ description: 'ISO 8601, UTC.' }),
  expiresAt: z.string().meta({ description: 'When `onTimeout` happens by itself: ISO 8601, UTC.' }),
  onTimeout: z.enum(['release', 'drop']),
  caller: z.string().nullable().meta({ description: 'null: not known.' }),
  callee: z.string().nullable().meta({ description: 'null: not known.' }),
  method: z.string(),
  url: z.string().meta({ description: 'As the caller asked for it, absolute.' }),
  status: z.int().nullable().meta({ description: "The answer's; null for a request." }),
  sizeBytes: z
    .int()
    .meta({ description: 'Of the body as it is held, compressed if it is; grows while it comes.' }),
  state: z
    .enum(['held', 'caller-gone'])
    .meta({ description: 'caller-gone: the caller hung up; nothing can be done with the call any more.' }),
});
export type HeldCall = z.infer<typeof HeldCallSchema>;

/** What became of a held call. */
export const HeldOutcomeSchema = z.enum([
  'released', // went on as it came
  'edited', // went on as it was edited
  'answered', // got an answer that somebody wrote
  'dropped', // its connection or stream was reset
  'timed-out', // nobody decided: `onTimeout` happened
  'rule-off', // its rule was turned off or changed, or Spike stops: went on as it came
  'caller-gone', // the caller hung up before anybody decided
  'broken-off', // the call ended otherwise: its upstream failed while the answer was held, another rule cut it, a worker was lost
  'passed', // went on as it came: its body turned out to be more than may be held in all
]);
export type HeldOutcome = z.infer<typeof HeldOutcomeSchema>;

const HeaderListSchema = z.array(z.tuple([fieldName, fieldValue])).max(1000);

const headers = HeaderListSchema.meta({
  description:
    'Name and value, in their order and spelling. In HTTP/2 the authority is shown as `host`. Without those in `fixedHeaders`.',
});

/** What a held request and a held response have in common. */
const held = {
  headers,
  fixedHeaders: HeaderListSchema.meta({
    description:
      'Fields of framing, of the connection and of the content coding: they follow the message by themselves.',
  }),
  trailers: z.string().meta({ description: 'As they came, in lines; they pass unchanged. Empty: none.' }),
  body: z.base64().meta({
    description: 'The content without its codings; empty where there is none or it is not shown (`why`).',
  }),
  bodyEncoding: z.string().meta({
    description:
      'The content codings that were taken off, and that an edited body is given again: gzip, br, …; several with commas; identity: none.',
  }),
  isBodyEditable: z.boolean(),
  why: z.string().nullable().meta({
    description:
      'Why the body cannot be edited, as the end of a sentence: "it is still coming"; null: it can.',
  }),
} as const;

export const HeldRequestSchema = z.object({
  kind: z.literal('request'),
  method: z.string(),
  target: z.string().meta({ description: 'Path and query as they are sent: /v1/charge?dry=1.' }),
  httpVersion: z.string().meta({ description: "Of the caller's side: 1.0, 1.1 or 2." }),
  ...held,
});
export type HeldRequest = z.infer<typeof HeldRequestSchema>;

export const HeldResponseSchema = z.object({
  kind: z.literal('response'),
  status: z.int(),
  reason: z.string().meta({ description: 'Empty in HTTP/2, which has none.' }),
  httpVersion: z.string(),
  ...held,
});
export type HeldResponse = z.infer<typeof HeldResponseSchema>;

/** A held call with its message. */
export const HeldMessageSchema = HeldCallSchema.extend({
  message: z.discriminatedUnion('kind', [HeldRequestSchema, HeldResponseSchema]),
  request: z
    .object({ method: z.string(), target: z.string(), headers: HeaderListSchema })
    .nullable()
    .meta({ description: 'For a held response: the head of its request as the caller sent it. Else null.' }),
});
export type HeldMessage = z.infer<typeof HeldMessageSchema>;

/** Where a message ends and what is about one connection: Spike's own, on either side. */
export const fixedHeaderNames: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const editedHeaders = z
  .array(
    z.tuple([
      fieldName.refine((name) => !fixedHeaderNames.has(name.toLowerCase()), {
        error: ({ input }) =>
          `${String(input)} is about framing, coding or the connection: it follows the message by itself. Leave it out.`,
      }),
      fieldValue,
    ]),
  )
  .max(1000)
  .meta({ description: 'All fields of the message but the fixed ones: what is not in the list is removed.' });

/** 10 MiB in base64, and a little. */
const longestBase64 = Math.ceil(longestHeldBodyBytes / 3) * 4;
const editedBody = z
  .base64('Expected base64.')
  .max(longestBase64, 'A body may have 10 MiB at the most.')
  .meta({
    description: 'The content, in base64, without codings; its length and its codings follow by themselves.',
  });

const status = z.int().min(200).max(599);

export const HeldEditSchema = z
  .strictObject({
    method: z
      .string()
      .max(100)
      .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'Expected a method: a token of RFC 9110, section 5.6.2.')
      .refine((method) => method !== 'CONNECT', 'CONNECT asks for a tunnel: a call cannot become one.')
      .optional()
      .meta({ description: 'Requests only.' }),
    target: z
      .string()
      .max(65_536)
      .regex(/^\//, "Expected a path that begins with '/'.")
      .regex(
        /^[\x21\x22\x24-\x7e\x80-\xff]*$/,
        'Expected a path and query without spaces, line breaks, control characters and #: write them as %20, %0A, %23.',
      )
      .optional()
      .meta({ description: 'Requests only: path and query.' }),
    status: status.optional().meta({ description: 'Responses only.' }),
    headers: editedHeaders.optional(),
    body: editedBody.optional(),
  })
  .meta({ description: 'Only what is given changes; nothing given: the call goes on as it came.' });
export type HeldEdit = z.infer<typeof HeldEditSchema>;

export const HeldAnswerSchema = z
  .strictObject({
    status: status.meta({ default: 200 }),
    headers: editedHeaders.default([]),
    body: editedBody.default(''),
  })
  .superRefine(({ status, body }, context) => {
    if (body === '' || (status !== 204 && status !== 304)) return;
    const message = `An answer with ${status} has no body (RFC 9110, section 6.4.1).`;
    context.addIssue({ code: 'custom', path: ['body'], message });
  });
export type HeldAnswer = z.infer<typeof HeldAnswerSchema>;

const id = z.string().min(1).max(100);
const outcome = z.object({
  id: z.string(),
  outcome: HeldOutcomeSchema.meta({ description: 'caller-gone: it was too late, and the row is gone.' }),
});

/** Events about held calls (events.ts). */
export const heldEvents = [
  z.object({ type: z.literal('held.added'), call: HeldCallSchema }),
  z.object({ type: z.literal('held.changed'), call: HeldCallSchema }).meta({
    description: 'More of the body has come, or the caller has gone.',
  }),
  z.object({ type: z.literal('held.removed'), id: z.string(), outcome: HeldOutcomeSchema }),
] as const;

/** What of it is in the status (status.ts). */
export const HeldStatusSchema = z.object({
  calls: z.int().meta({ description: 'Calls that breakpoints hold now.' }),
  bytes: z.int().meta({ description: 'Of their bodies.' }),
  passed: z.int().meta({
    description:
      'Calls that were not held because of a bound (limits: maxHeldCalls, maxHeldBytes), since the start.',
  }),
});

/** Calls of the contract. What is no longer held gets `held-not-found`, with what became of it where that is known. */
export const heldCalls = {
  list: oc
    .route({
      method: 'GET',
      path: '/held',
      tags: ['held'],
      summary: 'Calls that breakpoints hold, oldest first',
    })
    .output(z.array(HeldCallSchema)),
  get: oc
    .route({ method: 'GET', path: '/held/{id}', tags: ['held'], summary: 'A held call with its message' })
    .input(z.object({ id }))
    .output(HeldMessageSchema),
  release: oc
    .route({
      method: 'POST',
      path: '/held/{id}/release',
      tags: ['held'],
      inputStructure: 'detailed',
      summary: 'Let a held call go on, as it came or edited',
    })
    .input(z.object({ params: z.object({ id }), body: HeldEditSchema.default({}) }))
    .output(outcome),
  drop: oc
    .route({
      method: 'POST',
      path: '/held/{id}/drop',
      tags: ['held'],
      summary: "Reset the caller's connection, or its stream",
    })
    .input(z.object({ id }))
    .output(outcome),
  answer: oc
    .route({
      method: 'POST',
      path: '/held/{id}/answer',
      tags: ['held'],
      inputStructure: 'detailed',
      summary: 'Answer a held call: of a held request the upstream never hears, a held response is replaced',
    })
    .input(z.object({ params: z.object({ id }), body: HeldAnswerSchema }))
    .output(outcome),
  releaseAll: oc
    .route({
      method: 'POST',
      path: '/held/release-all',
      tags: ['held'],
      summary: 'Let all held calls go on as they came',
    })
    .output(z.object({ released: z.int().meta({ description: 'Without those whose caller had gone.' }) })),
};
