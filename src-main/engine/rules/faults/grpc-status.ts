import type { FaultOf } from '#shared/rules/fault.ts';
import { grpcStatusNames } from '#shared/flow/grpc-status.ts';
import type { FlatFields } from '../../proxy/http1/fields.ts';
import type { FaultImplementation, LocalAnswer } from './stage.ts';

type Form = FaultOf<'grpc-status'>['form'];

/** The fields that end a gRPC call (gRPC over HTTP/2, Responses). */
export function grpcTrailers({
  status,
  message,
}: Pick<FaultOf<'grpc-status'>, 'status' | 'message'>): FlatFields {
  const fields = ['grpc-status', String(grpcStatusNames.indexOf(status))];
  if (message !== '') fields.push('grpc-message', percentEncoded(message));
  return fields;
}

/** An answer without a message. Whatever the status of gRPC is, that of HTTP is 200. */
export function grpcAnswer(form: Form, trailers: FlatFields): LocalAnswer {
  const headers: Record<string, string> = { 'content-type': 'application/grpc' };
  if (form === 'trailers-only') {
    for (let i = 0; i < trailers.length; i += 2) headers[trailers[i] as string] = trailers[i + 1] as string;
  }
  const status = form === 'missing' ? null : Number(trailers[1]);
  const grpc = { status, trailers: form === 'trailers' ? trailers : null };
  return { status: 200, headers, body: '', grpc };
}

/** As gRPC over HTTP/2 has it (Percent-Encoded): UTF-8, with all but printable ASCII encoded, and `%` itself. */
function percentEncoded(message: string): string {
  return Buffer.from(message).reduce((text, byte) => {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    return (
      text + (isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    );
  }, '');
}

export const grpcStatus: FaultImplementation<'grpc-status'> = {
  needsCall: 'isGrpc',
  directions: () => [],
  createStage: null,
  answer: (fault) => grpcAnswer(fault.form, grpcTrailers(fault)),
};
