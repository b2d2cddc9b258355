import { z } from 'zod';
import { RouteDefinitionSchema } from '../routes/route.ts';
import { RuleDefinitionSchema } from '../rules/rule.ts';
import { ScenarioSchema } from '../scenarios/scenario.ts';
import { ByteSizeSchema } from './byte-size.ts';
import { ClientCertificateSettingsSchema } from './client-certificates.ts';
import { UpstreamProxySettingsSchema } from './upstream-proxy.ts';

const MiB = 1024 ** 2;

export const CaptureSettingsSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({ description: 'false: calls pass and are counted, none is stored.' }),
  maxBodyBytes: ByteSizeSchema.default(10 * MiB).meta({ description: 'The stored part of one body.' }),
  maxDiskBytes: ByteSizeSchema.default(2048 * MiB).meta({ description: 'The oldest flows make room.' }),
});
export type CaptureSettings = z.infer<typeof CaptureSettingsSchema>;

export const TlsSettingsSchema = z.strictObject({
  passthrough: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: 'Names (globs) whose TLS is not opened.' }),
  autoPassthrough: z.boolean().default(true).meta({
    description:
      "Whether a client that rejects Spike's certificate for a name is passed through there from then on, for an hour.",
  }),
  trust: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: 'PEM files with more roots for upstreams, relative to the workspace file.' }),
  clientCertificates: z.array(ClientCertificateSettingsSchema).max(1000).default([]).meta({
    description: 'What is shown to upstreams that ask for a client certificate; the first that fits.',
  }),
});
export type TlsSettings = z.infer<typeof TlsSettingsSchema>;

export const HttpSettingsSchema = z.strictObject({
  stripAltSvc: z.boolean().default(true).meta({
    description:
      'Keeps Alt-Svc from clients whose TLS is opened, so that browsers do not go over to HTTP/3, which Spike does not see.',
  }),
});
export type HttpSettings = z.infer<typeof HttpSettingsSchema>;

export const LimitSettingsSchema = z.strictObject({
  maxRuleHoldBytes: ByteSizeSchema.default(128 * MiB).meta({
    description:
      'What the rules of one worker hold in memory in all, while they delay, hang or change messages. Beyond it links are not read on, and messages pass unchanged.',
  }),
});
export type LimitSettings = z.infer<typeof LimitSettingsSchema>;

export const RedactSettingsSchema = z.strictObject({
  headers: z.array(z.string().min(1)).default([]).meta({ description: 'More header names to replace.' }),
  json: z.array(z.string().min(1)).default([]).meta({ description: 'JSON paths such as $.card.number.' }),
});
export type RedactSettings = z.infer<typeof RedactSettingsSchema>;

/** The workspace file, spike.yaml. Unknown keys are refused, so that a typing mistake cannot pass for a setting. */
export const WorkspaceSchema = z
  .strictObject({
    version: z.literal(1),
    routes: z.array(RouteDefinitionSchema).max(1000).default([]),
    tls: TlsSettingsSchema.prefault({}),
    http: HttpSettingsSchema.prefault({}),
    rules: z.array(RuleDefinitionSchema).max(10_000).default([]),
    scenarios: z.array(ScenarioSchema).max(200).default([]).meta({ description: 'Rules over time.' }),
    capture: CaptureSettingsSchema.prefault({}),
    redact: RedactSettingsSchema.prefault({}),
    limits: LimitSettingsSchema.prefault({}),
    upstreamProxy: UpstreamProxySettingsSchema.optional(),
  })
  .superRefine((workspace, context) => {
    refuseDuplicates(workspace.routes, 'name', 'routes', context);
    refuseDuplicates(workspace.rules, 'name', 'rules', context);
    refuseDuplicates(workspace.rules, 'id', 'rules', context);
  });
export type Workspace = z.infer<typeof WorkspaceSchema>;

function refuseDuplicates<K extends string>(
  list: readonly { readonly [key in K]?: string | undefined }[],
  key: K,
  at: string,
  context: z.RefinementCtx,
): void {
  const seen = new Set<string>();
  list.forEach((item, index) => {
    const value = item[key];
    if (value === undefined) return;
    if (seen.has(value)) {
      context.addIssue({
        code: 'custom',
        path: [at, index, key],
        message: `"${value}" is used twice; every ${key} is unique.`,
      });
    }
    seen.add(value);
  });
}
