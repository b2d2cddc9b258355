import { z } from 'zod';

/** `host`, a glob, with or without a port. */
const HostSchema = z
  .string()
  .regex(
    /^(\[[0-9a-f:.]+\]|[a-z0-9*?._-]+|[0-9a-f:.]+:[0-9a-f:.]*:[0-9a-f:.]*)(:\d{1,5})?$/i,
    'Expected a host or a glob, with or without a port, such as *.bank.example or api.example:8443.',
  );

/** The certificate that Spike shows to some upstreams: a key and a chain in PEM, or a PKCS#12 file. */
export const ClientCertificateSettingsSchema = z
  .strictObject({
    host: HostSchema.meta({
      description: 'Host or glob, with or without :port; the first entry that fits is shown.',
    }),
    cert: z.string().min(1).optional().meta({
      description: 'PEM file with the certificate, its chain after it; relative to the workspace file.',
    }),
    key: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'PEM file with the private key. Default: it is in the file of `cert`.' }),
    pkcs12: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'PKCS#12 file (.p12, .pfx) with both, in place of `cert` and `key`.' }),
    passphrase: z
      .string()
      .optional()
      .meta({ description: 'Of the key or of the PKCS#12 file; best as "${NAME}".' }),
  })
  .superRefine(({ cert, key, pkcs12 }, context) => {
    const problem = problemOf(cert !== undefined, key !== undefined, pkcs12 !== undefined);
    if (problem !== null) context.addIssue({ code: 'custom', path: [], message: problem, input: undefined });
  });
export type ClientCertificateSettings = z.infer<typeof ClientCertificateSettingsSchema>;

function problemOf(hasCert: boolean, hasKey: boolean, hasPkcs12: boolean): string | null {
  if (hasPkcs12) return hasCert || hasKey ? 'Expected either "pkcs12", or "cert" and "key".' : null;
  return hasCert ? null : 'Expected "cert" and "key" (PEM files), or "pkcs12".';
}
