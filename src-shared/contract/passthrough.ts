import { z } from 'zod';

/** A client whose TLS to one name passes through by itself, because it rejected the certificate that Spike showed. */
export const AutoPassthroughSchema = z.object({
  id: z.string().meta({ description: 'To forget it by.' }),
  client: z.string().meta({ description: 'The caller, or its address where nothing better is known.' }),
  name: z.string().meta({ description: 'The server name that it asked for, in lower case.' }),
  reason: z.string().meta({
    description: 'The TLS alert that it sent (unknown_ca, ...), or that it hung up again and again.',
  }),
  since: z.string().meta({ description: 'When it rejected the certificate: ISO 8601, UTC.' }),
  until: z.string().meta({ description: 'Its next connection after this is opened again: ISO 8601, UTC.' }),
});
export type AutoPassthrough = z.infer<typeof AutoPassthroughSchema>;
