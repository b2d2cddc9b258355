// `tls.clientCertificates` of the workspace, read and checked by the primary: a worker gets only what works.
import { createPrivateKey } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ClientCertificateSettings } from '#shared/workspace/client-certificates.ts';
import { SettingError } from '../setting-error.ts';
import type { ClientCertificate } from './client-certificates.ts';
import { certificateDerToPem, opensslReason, parseCertificates } from './pem.ts';
import { readPkcs12 } from './pkcs12.ts';
import type { Pkcs12Problem } from './pkcs12.ts';

/** A key and a chain take a few KiB. */
const maxFileBytes = 1024 ** 2;

export interface ReadClientCertificate extends ClientCertificate {
  readonly subject: string;
  readonly notAfter: Date;
}

/** One entry of the list: what it says, and where that stands. */
class EntryReader {
  readonly #settings: ClientCertificateSettings;
  readonly #baseDirectory: string;
  readonly #index: number;

  constructor(settings: ClientCertificateSettings, index: number, baseDirectory: string) {
    this.#settings = settings;
    this.#index = index;
    this.#baseDirectory = baseDirectory;
  }

  async read(): Promise<ReadClientCertificate> {
    const { host, pkcs12 } = this.#settings;
    const { key, certificates } =
      pkcs12 === undefined ? await this.#readPem() : await this.#readPkcs12(pkcs12);
    const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
    if (leaf === undefined) throw this.#misfit();
    const chain = [leaf, ...certificates.filter((certificate) => certificate !== leaf)];
    return {
      host,
      chainPem: chain.map(({ raw }) => certificateDerToPem(raw)).join(''),
      privateKeyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      subject: leaf.subject.replaceAll('\n', ', '),
      notAfter: new Date(leaf.validTo),
    };
  }

  async #readPem(): Promise<{ key: KeyObject; certificates: readonly X509Certificate[] }> {
    const { cert = '', key: keyFile = cert } = this.#settings;
    const text = (await this.#bytes('cert', cert)).toString('latin1');
    const parsed = parseCertificates(text);
    if (!parsed.ok)
      throw this.#error('cert', `${cert} holds no usable certificate in PEM: ${parsed.reason}.`);
    const keyField = this.#settings.key === undefined ? 'cert' : 'key';
    const keyText = keyFile === cert ? text : (await this.#bytes('key', keyFile)).toString('latin1');
    return { key: this.#privateKey(keyText, keyField, keyFile), certificates: parsed.certificates };
  }

  #privateKey(text: string, field: 'cert' | 'key', file: string): KeyObject {
    const { passphrase } = this.#settings;
    if (!/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) {
      const hint = field === 'cert' ? ' Give its file as "key".' : '';
      throw this.#error(field, `${file} holds no private key in PEM.${hint}`);
    }
    const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text);
    if (isEncrypted && passphrase === undefined) {
      throw this.#error(field, `The private key in ${file} is encrypted. Give its "passphrase".`);
    }
    try {
      return createPrivateKey({ key: text, format: 'pem', ...(isEncrypted && { passphrase }) });
    } catch (error) {
      throw isEncrypted
        ? this.#error('passphrase', `The passphrase does not open the private key in ${file}.`)
        : this.#error(field, `The private key in ${file} cannot be read: ${opensslReason(error)}.`);
    }
  }

  async #readPkcs12(file: string): Promise<{ key: KeyObject; certificates: readonly X509Certificate[] }> {
    const { passphrase = '' } = this.#settings;
    const content = readPkcs12(await this.#bytes('pkcs12', file), passphrase);
    if (typeof content === 'string') throw this.#pkcs12Error(content, file);
    if (content.privateKey === null) throw this.#error('pkcs12', `${file} holds no private key.`);
    return { key: content.privateKey, certificates: content.certificates };
  }

  #pkcs12Error(problem: Pkcs12Problem, file: string): SettingError {
    switch (problem) {
      case 'wrong-passphrase':
        return this.#settings.passphrase === undefined
          ? this.#error('pkcs12', `${file} is protected. Give its "passphrase".`)
          : this.#error('passphrase', `The passphrase does not open ${file}.`);
      case 'unsupported':
        return this.#error(
          'pkcs12',
          `${file} is protected in a way that Spike does not read. Convert it to PEM.`,
        );
      case 'not-pkcs12':
        return this.#error('pkcs12', `${file} is not a PKCS#12 file, or is cut short.`);
    }
  }

  #misfit(): SettingError {
    const { pkcs12, cert = '', key = cert } = this.#settings;
    return pkcs12 === undefined
      ? this.#error('key', `The private key in ${key} does not belong to the certificate in ${cert}.`)
      : this.#error('pkcs12', `No certificate in ${pkcs12} belongs to its private key.`);
  }

  async #bytes(field: 'cert' | 'key' | 'pkcs12', file: string): Promise<Buffer> {
    const path = resolve(this.#baseDirectory, file);
    try {
      const { size } = await stat(path);
      if (size > maxFileBytes) {
        throw this.#error(
          field,
          `${file} is too large for a certificate: ${size} bytes, where ${maxFileBytes} are read.`,
        );
      }
      return await readFile(path);
    } catch (error) {
      if (error instanceof SettingError) throw error;
      throw this.#error(field, `${path} cannot be read (${String((error as NodeJS.ErrnoException).code)}).`);
    }
  }

  #error(field: 'cert' | 'key' | 'pkcs12' | 'passphrase', message: string): SettingError {
    return new SettingError(['tls', 'clientCertificates', this.#index, field], message);
  }
}

/** Throws SettingError for the first that cannot be used. */
export async function readClientCertificates(
  settings: readonly ClientCertificateSettings[],
  baseDirectory: string,
): Promise<ReadClientCertificate[]> {
  return await Promise.all(
    settings.map((entry, index) => new EntryReader(entry, index, baseDirectory).read()),
  );
}
