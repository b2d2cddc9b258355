import { z } from 'zod';
import { HeldStatusSchema } from './held.ts';

export const WorkerStatusSchema = z.object({
  number: z.int().meta({ description: 'From 1; a replacement keeps the number.' }),
  pid: z.int().nullable(),
  state: z.enum(['starting', 'ready', 'draining', 'lost', 'backing-off']),
  startedAt: z.string().nullable(),
  restarts: z.int(),
  openConnections: z.int(),
  lastExit: z
    .object({
      at: z.string(),
      reason: z.string().meta({ description: 'signal SIGKILL, exit code 1, ...' }),
      replacedAfterMs: z.number().nullable(),
      lostFlows: z.int().meta({ description: 'Calls that were open on it.' }),
    })
    .nullable(),
});
export type WorkerStatus = z.infer<typeof WorkerStatusSchema>;

export const WorkspaceStatusSchema = z.object({
  path: z.string().nullable().meta({ description: 'null: no file, settings live in memory.' }),
  name: z.string(),
  state: z.enum(['saved', 'unsaved', 'invalid', 'none']),
  problem: z
    .object({
      line: z.int(),
      column: z.int(),
      message: z.string().meta({ description: 'path:line:column, what was expected, what holds now.' }),
      excerpt: z.array(z.object({ line: z.int(), text: z.string() })),
    })
    .nullable()
    .meta({ description: 'Why the last edit was refused; the state before it stays in force.' }),
});
export type WorkspaceStatus = z.infer<typeof WorkspaceStatusSchema>;

/** How upstreams are reached; nothing secret in it. */
export const UpstreamsStatusSchema = z.object({
  proxy: z
    .object({
      http: z.string().nullable().meta({
        description: 'For plain http: scheme://user@host:port, without the password; null: called directly.',
      }),
      https: z.string().nullable().meta({ description: 'For https and tcp.' }),
      noProxy: z.array(z.string()),
      includeLoopback: z.boolean().meta({ description: 'false: this machine is called directly.' }),
    })
    .nullable()
    .meta({ description: 'null: no upstream proxy is set.' }),
  clientCertificates: z.array(
    z.object({
      host: z.string().meta({ description: 'Host or glob, with or without :port, as it is set.' }),
      subject: z.string(),
      notAfter: z.string().meta({ description: 'ISO 8601, UTC.' }),
      expired: z.boolean(),
    }),
  ),
});
export type UpstreamsStatus = z.infer<typeof UpstreamsStatusSchema>;

export const StatusSchema = z.object({
  version: z.string(),
  agentId: z.string(),
  startedAt: z.string(),
  shell: z.enum(['headless', 'electron']),
  proxy: z.object({
    address: z.string().nullable().meta({ description: 'host:port that is bound.' }),
    error: z.string().nullable(),
  }),
  control: z.string().meta({ description: 'Base URL of this API.' }),
  workers: z.array(WorkerStatusSchema),
  ca: z.object({
    path: z.string(),
    subject: z.string(),
    fingerprint256: z.string(),
    notAfter: z.string(),
    keyMode: z.string().nullable().meta({ description: 'File mode of the private key, octal: 0600.' }),
    inSystemStore: z.boolean().nullable().meta({ description: 'null: cannot be told here.' }),
  }),
  capture: z.object({
    recording: z.boolean(),
    recordingSince: z.string().nullable(),
    flows: z.int(),
    bytes: z.int(),
    maxBytes: z.int(),
    oldestAt: z.string().nullable(),
  }),
  dropped: z.object({
    flows: z.int().meta({ description: 'Flows that passed and were counted, but not stored.' }),
    bodies: z.int(),
    events: z.int().meta({ description: 'Events that slow readers of this API lost.' }),
  }),
  flowsPerSecond: z.number(),
  activeFaults: z.int(),
  held: HeldStatusSchema,
  ruleHolds: z.object({
    heldBytes: z.int().meta({
      description:
        'What rules hold in memory now, all workers together. Each may hold `limits["rules.maxHeldBytes"]`.',
    }),
    leftMessages: z
      .int()
      .meta({ description: 'Messages left unchanged because rules held that much already.' }),
    pausedReads: z.int().meta({ description: 'How often a connection was not read on for that.' }),
  }),
  workspace: WorkspaceStatusSchema,
  upstreams: UpstreamsStatusSchema,
  limits: z.record(z.string(), z.number()).meta({ description: 'Bounds in force; the unit is in the name.' }),
  demo: z.enum(['off', 'starting', 'running', 'unavailable']),
});
export type Status = z.infer<typeof StatusSchema>;
