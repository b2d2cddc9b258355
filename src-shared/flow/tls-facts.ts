import { z } from 'zod';

/** What a client said of itself in its TLS ClientHello (RFC 8446, section 4.1.2), before anything was answered. */
export const ClientHelloFactsSchema = z.object({
  ja4: z.string().meta({
    description: 'JA4 fingerprint: clients that use the same TLS library in the same way have the same.',
  }),
  alpn: z.array(z.string()).meta({
    description: 'Protocols offered (RFC 7301), in the order of preference; the first 16.',
  }),
  versions: z.array(z.string()).meta({
    description: 'TLS versions offered (TLSv1.3, ...; 0x7f1c for one without a name); the first 16.',
  }),
  cipherSuites: z.int().meta({ description: 'How many are offered, GREASE (RFC 8701) not counted.' }),
  extensions: z.int().meta({ description: 'How many there are, GREASE not counted.' }),
  sizeBytes: z.int().meta({ description: 'Of the hello with its records.' }),
});
export type ClientHelloFacts = z.infer<typeof ClientHelloFactsSchema>;

/** TLS between the client and Spike, the same for all flows of a connection. */
export const TlsFactsSchema = z.object({
  intercepted: z.boolean().meta({ description: 'true: opened with a leaf certificate of the CA.' }),
  sni: z.string().nullable().meta({ description: 'The name that the client asked for; null: none.' }),
  alpn: z.string().nullable().meta({
    description: 'The protocol agreed on; for what is not opened the first that was offered.',
  }),
  version: z.string().nullable().meta({ description: 'TLSv1.2, TLSv1.3; null for what is not opened.' }),
  hello: ClientHelloFactsSchema.nullable().default(null).meta({
    description: 'null: nothing was recorded when the connection was made.',
  }),
  note: z.string().nullable().default(null).meta({
    description: 'Why it was not opened, in a sentence, where Spike decided that by itself; else null.',
  }),
});
export type TlsFacts = z.infer<typeof TlsFactsSchema>;
