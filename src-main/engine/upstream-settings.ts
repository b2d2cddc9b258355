import { resolve } from 'node:path';
import type { UpstreamsStatus } from '#shared/contract/status.ts';
import { proxyName } from '#shared/workspace/upstream-proxy.ts';
import type { UpstreamProxies } from '#shared/workspace/upstream-proxy.ts';
import type { TlsSettings } from '#shared/workspace/workspace.ts';
import type { WorkerConfig } from './cluster/messages.ts';
import { OwnPorts } from './io/own-ports.ts';
import type { Log } from './log.ts';
import { SettingError } from './setting-error.ts';
import { readClientCertificates } from './tls/client-certificate-files.ts';
import type { ReadClientCertificate } from './tls/client-certificate-files.ts';
import { buildTrustStore } from './tls/trust-store.ts';

interface Settings {
  readonly tls: Pick<TlsSettings, 'trust' | 'clientCertificates'>;
  readonly upstreamProxies: UpstreamProxies | null;
  readonly baseDirectory: string;
}

/** How upstreams are reached: read and checked as a whole, so that what holds is never half of it. */
export class UpstreamSettings {
  readonly proxies: UpstreamProxies | null;
  readonly #extraRootsPem: readonly string[];
  readonly #certificates: readonly ReadClientCertificate[];

  private constructor(
    proxies: UpstreamProxies | null,
    extraRootsPem: readonly string[],
    certificates: readonly ReadClientCertificate[],
  ) {
    this.proxies = proxies;
    this.#extraRootsPem = extraRootsPem;
    this.#certificates = certificates;
  }

  static readonly none = new UpstreamSettings(null, [], []);

  /**
   * Throws SettingError or TrustStoreError for what cannot be used.
   * @param ownAddresses host:port of Spike's listeners: none of them is a proxy for Spike.
   */
  static async read(
    { tls, upstreamProxies, baseDirectory }: Settings,
    ownAddresses: readonly string[],
    now: number,
    log: Log,
  ): Promise<UpstreamSettings> {
    refuseOwnPorts(upstreamProxies, ownAddresses);
    const files = tls.trust.map((file) => resolve(baseDirectory, file));
    const roots = files.length === 0 ? [] : (await buildTrustStore({ files, roots: [] })).certificatesPem;
    const certificates = await readClientCertificates(tls.clientCertificates, baseDirectory);
    for (const { host, notAfter } of certificates) {
      if (notAfter.getTime() > now) continue;
      const message = `The client certificate for ${host} has expired (${notAfter.toISOString()}): upstreams are going to refuse it.`;
      log.warn({ host }, message);
    }
    return new UpstreamSettings(upstreamProxies, roots, certificates);
  }

  /** What workers get of it. */
  workerTls(): Pick<WorkerConfig['tls'], 'extraRootsPem' | 'clientCertificates'> {
    return {
      extraRootsPem: this.#extraRootsPem,
      clientCertificates: this.#certificates.map(({ host, chainPem, privateKeyPem }) => ({
        host,
        chainPem,
        privateKeyPem,
      })),
    };
  }

  status(now: number): UpstreamsStatus {
    return {
      proxy: this.proxies === null ? null : proxyStatus(this.proxies),
      clientCertificates: this.#certificates.map(({ host, subject, notAfter }) => ({
        host,
        subject,
        notAfter: notAfter.toISOString(),
        expired: notAfter.getTime() <= now,
      })),
    };
  }
}

function proxyStatus({ http, https, noProxy, includeLoopback }: UpstreamProxies): UpstreamsStatus['proxy'] {
  return {
    http: http === null ? null : proxyName(http),
    https: https === null ? null : proxyName(https),
    noProxy: [...noProxy],
    includeLoopback,
  };
}

/** By the address as it is written; what a name leads to is seen when it is called (io/dial.ts). */
function refuseOwnPorts(proxies: UpstreamProxies | null, ownAddresses: readonly string[]): void {
  const own = new OwnPorts();
  own.set(ownAddresses, []);
  for (const proxy of [proxies?.http, proxies?.https]) {
    if (proxy === null || proxy === undefined || !own.forbids(proxy.host, proxy.port)) continue;
    throw new SettingError(
      ['upstreamProxy', 'url'],
      `The upstream proxy ${proxyName(proxy)} is a port of this Spike itself: calls would go round in a circle. Give the proxy behind it, or none.`,
    );
  }
}
