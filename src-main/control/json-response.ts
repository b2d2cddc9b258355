import type { ServerResponse } from 'node:http';
import type { SpikeError } from '#shared/contract/errors.ts';
import { toErrorBody } from './error-mapping.ts';

/** On every answer of the API: nothing is stored by a browser, sniffed, framed or read by another origin. */
export const apiHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
} as const;

export function setApiHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(apiHeaders)) response.setHeader(name, value);
}

/** The text of a failure, for answers that are written by hand. */
export function errorText(error: SpikeError): string {
  const { code, message, details } = error;
  return JSON.stringify(toErrorBody({ code, message, data: details }));
}

export function sendError(response: ServerResponse, error: SpikeError): void {
  setApiHeaders(response);
  if (error.code === 'unauthorized') response.setHeader('www-authenticate', 'Bearer realm="spike"');
  sendText(response, error.status, 'application/json', errorText(error));
}

export function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length });
  response.end(bytes);
}
