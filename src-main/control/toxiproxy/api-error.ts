/** What Toxiproxy answers in place of a result, as `{"error": message, "status": status}`. The words are those of 2.12: clients match them. */
export class ToxiproxyError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ToxiproxyError';
    this.status = status;
  }
}

export function badRequestBody(why: string): ToxiproxyError {
  return new ToxiproxyError(400, `bad request body: ${why}`);
}

export function missingField(field: string): ToxiproxyError {
  return new ToxiproxyError(400, `missing required field: ${field}`);
}

export function proxyNotFound(): ToxiproxyError {
  return new ToxiproxyError(404, 'proxy not found');
}

export function proxyAlreadyExists(): ToxiproxyError {
  return new ToxiproxyError(409, 'proxy already exists');
}

export function invalidStream(): ToxiproxyError {
  return new ToxiproxyError(400, 'stream was invalid, can be either upstream or downstream');
}

export function invalidToxicType(): ToxiproxyError {
  return new ToxiproxyError(400, 'invalid toxic type');
}

export function toxicAlreadyExists(): ToxiproxyError {
  return new ToxiproxyError(409, 'toxic already exists');
}

export function toxicNotFound(): ToxiproxyError {
  return new ToxiproxyError(404, 'toxic not found');
}
