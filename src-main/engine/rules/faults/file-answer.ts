import type { FaultOf } from '#shared/rules/fault.ts';
import type { FaultImplementation } from './stage.ts';

/** What servers say of files with these endings; of others nothing is known. */
const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  gif: 'image/gif',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  md: 'text/markdown; charset=utf-8',
  ndjson: 'application/x-ndjson',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  webp: 'image/webp',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
};
const unknownType = 'application/octet-stream';

/** Answers with a file, which the primary has read when the rule was turned on: workers read none. */
export const fileAnswer: FaultImplementation<'file-answer'> = {
  directions: () => [],
  createStage: null,
  answer: (fault, { rule }) => ({
    status: fault.status,
    headers: { ...contentType(fault), ...fault.headers },
    body: rule.rule.files?.[fault.path] ?? '',
  }),
};

function contentType({ path, headers }: FaultOf<'file-answer'>): Record<string, string> {
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')) return {};
  const ending = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  return { 'content-type': types[ending] ?? unknownType };
}
