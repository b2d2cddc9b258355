import { readFileSync } from 'node:fs';
import type { Http1ErrorCode } from '../../../src-main/engine/proxy/http1/http1-error.ts';

export interface CorpusEntry {
  readonly kind: 'request' | 'response';
  readonly name: string;
  readonly bytes: Buffer;
  /** Of the request that a response answers. */
  readonly method: string;
  /** Why the entry is refused; null for the valid ones. */
  readonly code: Http1ErrorCode | null;
}

interface StoredEntry {
  name: string;
  bytes: string;
  code?: Http1ErrorCode;
  method?: string;
}

function load(kind: CorpusEntry['kind'], sort: 'valid' | 'hostile'): CorpusEntry[] {
  const url = new URL(`../../fixtures/http1/${kind}s-${sort}.json`, import.meta.url);
  const stored = JSON.parse(readFileSync(url, 'utf8')) as StoredEntry[];
  return stored.map(({ name, bytes, code, method }) => ({
    kind,
    name,
    bytes: Buffer.from(bytes, 'latin1'),
    method: method ?? 'GET',
    code: code ?? null,
  }));
}

export const validRequests = load('request', 'valid');
export const hostileRequests = load('request', 'hostile');
export const validResponses = load('response', 'valid');
export const hostileResponses = load('response', 'hostile');
export const wholeCorpus = [...validRequests, ...hostileRequests, ...validResponses, ...hostileResponses];
