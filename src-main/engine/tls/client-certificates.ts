// What Spike shows to upstreams that ask who it is. Contexts are built once a certificate, when the first connection needs it:
// each holds all the roots.
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { upstreamContextOptions } from './tls-options.ts';

/** A certificate that was read and checked (client-certificate-files.ts), as workers get it. The key is secret. */
export interface ClientCertificate {
  /** The setting's own `host`: names it in messages. */
  readonly host: string;
  /** The leaf first. */
  readonly chainPem: string;
  /** PKCS#8, not encrypted. */
  readonly privateKeyPem: string;
}

/** What to speak TLS with to one host. */
export interface UpstreamContext {
  readonly secureContext: SecureContext;
  /** The `host` of the client certificate in it; null: none is shown. */
  readonly certificate: string | null;
}

interface Entry {
  readonly certificate: ClientCertificate;
  readonly matches: (host: string, port: number) => boolean;
  context: UpstreamContext | null;
}

/** The contexts for upstreams: one without a certificate, and one for each certificate. */
export class UpstreamContexts {
  readonly #plain: UpstreamContext;
  readonly #entries: readonly Entry[];
  readonly #rootsPem: readonly string[];

  /**
   * @param rootsPem All roots, one certificate each.
   * @param compileGlob Makes a test of a glob, without regard to case.
   */
  constructor(
    rootsPem: readonly string[],
    certificates: readonly ClientCertificate[],
    compileGlob: (glob: string) => (text: string) => boolean,
  ) {
    this.#rootsPem = rootsPem;
    const secureContext = createSecureContext(upstreamContextOptions(rootsPem));
    this.#plain = { secureContext, certificate: null };
    this.#entries = certificates.map((certificate) => ({
      certificate,
      matches: hostTest(certificate.host, compileGlob),
      context: null,
    }));
  }

  /** The first certificate whose `host` fits. `host` is the name that the upstream's certificate must be for. */
  contextFor(host: string, port: number): UpstreamContext {
    const entry = this.#entries.find(({ matches }) => matches(host, port));
    return entry === undefined ? this.#plain : (entry.context ??= this.#build(entry.certificate));
  }

  #build(certificate: ClientCertificate): UpstreamContext {
    const secureContext = createSecureContext(upstreamContextOptions(this.#rootsPem, certificate));
    return { secureContext, certificate: certificate.host };
  }
}

/** `host` or `host:port`, an IPv6 address in brackets where a port follows. */
function hostTest(
  pattern: string,
  compileGlob: (glob: string) => (text: string) => boolean,
): (host: string, port: number) => boolean {
  const parts = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(pattern);
  const test = compileGlob((parts?.[1] ?? pattern).replace(/^\[|\]$/g, ''));
  const wanted = parts === null ? null : Number(parts[2]);
  return (host, port) => (wanted === null || wanted === port) && test(host);
}
