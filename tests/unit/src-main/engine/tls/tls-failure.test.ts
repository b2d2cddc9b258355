import { generateKeyPairSync } from 'node:crypto';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect, createSecureContext, createServer } from 'node:tls';
import type { SecureContext, TlsOptions } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CertificateAuthority } from '../../../../../src-main/engine/tls/certificate-authority.ts';
import { createLeafIssuer } from '../../../../../src-main/engine/tls/leaf-certificates.ts';
import { describeTlsFailure, isTlsError } from '../../../../../src-main/engine/tls/tls-failure.ts';
import type { TlsFailure } from '../../../../../src-main/engine/tls/tls-failure.ts';
import {
  upstreamContextOptions,
  upstreamSocketOptions,
} from '../../../../../src-main/engine/tls/tls-options.ts';
import { certificateDerToPem } from '../../../../../src-main/engine/tls/pem.ts';
import {
  nameDer,
  publicKeyInfoDer,
  randomSerial,
  signCertificate,
  signatureAlgorithmDer,
  subjectAltName,
  tbsCertificate,
  validityDer,
} from '../../../../../src-main/engine/tls/x509-parts.ts';
import { DAY_MS, makeCa } from './fixtures.ts';

let ca: CertificateAuthority;
let trusting: SecureContext;
beforeAll(async () => {
  // OpenSSL verifies by the real clock: so these certificates are made by it.
  ca = await makeCa(Date.now() - 300 * DAY_MS);
  trusting = createSecureContext(upstreamContextOptions([ca.certificatePem]));
});

/** Certificate and key of a server, as an issuer of the given time makes them. */
function serving(name: string, authority = ca, now = Date.now()): TlsOptions {
  const issuer = createLeafIssuer({ ca: authority, now: () => now });
  return { cert: issuer.issue(name)?.certificatePem ?? '', key: issuer.privateKeyPem };
}

async function failureAgainst(
  server: Server,
  host: string,
  secureContext = trusting,
): Promise<TlsFailure | 'none'> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const tcp = connectTcp(port, '127.0.0.1');
  const socket = connect(upstreamSocketOptions({ host, secureContext, alpnProtocols: [], socket: tcp }));
  const outcome = Promise.withResolvers<TlsFailure | 'none'>();
  socket.on('error', (error) => outcome.resolve(describeTlsFailure(error, host)));
  socket.once('data', () => outcome.resolve('none'));
  try {
    return await outcome.promise;
  } finally {
    socket.destroy();
    tcp.destroy();
    server.close();
  }
}

/** Says one word inside TLS, so that a client knows that the handshake is over on both sides. */
function tlsServer(options: TlsOptions): Server {
  const server = createServer(options, (socket) => {
    socket.on('error', () => undefined); // The client is gone as soon as it knows.
    socket.write('hello');
  });
  server.on('tlsClientError', () => undefined); // It is the client's view that is tested.
  return server;
}

function tcpServer(answer: string | null): Server {
  return createTcpServer((socket) => {
    socket.on('error', () => undefined); // As above.
    socket.once('data', () => (answer === null ? socket.destroy() : socket.end(answer)));
  });
}

describe('a real handshake', () => {
  test('of a good server does not fail: by name, and by address', async () => {
    expect(await failureAgainst(tlsServer(serving('good.example')), 'good.example')).toBe('none');
    expect(await failureAgainst(tlsServer(serving('127.0.0.1')), '127.0.0.1')).toBe('none');
  });

  test.each<[string, () => Promise<Server> | Server, string]>([
    ['tls-wrong-name', () => tlsServer(serving('other.example')), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'tls-expired',
      () => tlsServer(serving('host.example', ca, Date.now() - 60 * DAY_MS)),
      'CERT_HAS_EXPIRED',
    ],
    [
      'tls-not-yet-valid',
      () => tlsServer(serving('host.example', ca, Date.now() + 60 * DAY_MS)),
      'CERT_NOT_YET_VALID',
    ],
    [
      'tls-untrusted-issuer',
      async () => tlsServer(serving('host.example', await makeCa(Date.now()))),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    ['tls-self-signed', selfSignedServer, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['tls-untrusted-issuer', chainServer, 'SELF_SIGNED_CERT_IN_CHAIN'],
    ['tls-not-tls', () => tcpServer('HTTP/1.1 400 Bad Request\r\n\r\n'), 'ERR_SSL_WRONG_VERSION_NUMBER'],
    ['tls-closed', () => tcpServer(null), 'ECONNRESET'],
    [
      'tls-client-certificate-required',
      () => tlsServer({ ...serving('host.example'), requestCert: true, rejectUnauthorized: true, ca: [] }),
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    ],
    [
      'tls-version-refused',
      () =>
        tlsServer({
          ...serving('host.example'),
          minVersion: 'TLSv1',
          maxVersion: 'TLSv1.1',
          ciphers: 'ALL:@SECLEVEL=0',
        }),
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    ],
  ])('%s', async (cause, server, code) => {
    const failure = await failureAgainst(await server(), 'host.example');
    expect(failure).toMatchObject({ cause, code });
    expect((failure as TlsFailure).message).toMatch(/^host\.example /);
  });

  function selfSignedServer(): Server {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const algorithm = signatureAlgorithmDer(privateKey);
    const subject = nameDer({ organisation: 'Someone', commonName: 'host.example' });
    const tbs = tbsCertificate({
      serial: randomSerial(),
      algorithm,
      issuer: subject,
      validity: validityDer(Date.now() - DAY_MS, Date.now() + DAY_MS),
      subject,
      publicKeyInfo: publicKeyInfoDer(publicKey),
      extensions: [subjectAltName('dns', Buffer.from('host.example'))],
    });
    const cert = certificateDerToPem(signCertificate(tbs, algorithm, privateKey));
    return tlsServer({ cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) });
  }

  async function chainServer(): Promise<Server> {
    const issuer = createLeafIssuer({ ca: await makeCa(Date.now()), now: Date.now });
    return tlsServer({ cert: issuer.issue('host.example')?.chainPem ?? '', key: issuer.privateKeyPem });
  }
});

describe('by code and text alone', () => {
  const withCode = (code: string, message = code) => Object.assign(new Error(message), { code });

  test.each([
    [withCode('UNABLE_TO_GET_ISSUER_CERT_LOCALLY'), 'tls-untrusted-issuer'],
    [
      withCode('EPROTO', 'write EPROTO 0A00010B:SSL routines:ssl3_get_record:wrong version number'),
      'tls-not-tls',
    ],
    [withCode('ERR_SSL_SSL/TLS_ALERT_UNRECOGNIZED_NAME'), 'tls-unknown-name'],
    [withCode('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'), 'tls-no-common-protocol'],
    // An alert comes from the server, and is about the client certificate: Java sends one for want of any.
    [withCode('ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED'), 'tls-client-certificate-required'],
    [withCode('ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'), 'tls-client-certificate-required'],
    [withCode('CERT_REVOKED'), 'tls-revoked'],
    [withCode('ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE'), 'tls-handshake-failed'],
    [withCode('ERR_SSL_EE_KEY_TOO_SMALL'), 'tls-bad-certificate'],
    [withCode('toString'), 'tls-handshake-failed'],
    [new Error('something else'), 'tls-handshake-failed'],
    ['not an error', 'tls-handshake-failed'],
  ])('%s: %s', (error, cause) => {
    expect(describeTlsFailure(error, 'h').cause).toBe(cause);
  });

  test('the next step is named where there is one', () => {
    expect(describeTlsFailure(withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'h').message).toContain(
      'tls.trust in spike.yaml',
    );
  });

  test('TLS errors are told from those of the connection', () => {
    expect(isTlsError(withCode('CERT_HAS_EXPIRED'))).toBe(true);
    expect(isTlsError(withCode('ERR_SSL_WRONG_VERSION_NUMBER'))).toBe(true);
    expect(isTlsError(withCode('EPROTO', 'write EPROTO SSL routines'))).toBe(true);
    expect(isTlsError(withCode('ECONNREFUSED'))).toBe(false);
    expect(isTlsError(withCode('ECONNRESET'))).toBe(false);
    expect(isTlsError(new Error('plain'))).toBe(false);
  });
});
