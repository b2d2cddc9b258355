import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenAPIHandler } from '@orpc/openapi/node';
import { ResponseHeadersPlugin } from '@orpc/server/plugins';
import { SpikeError } from '#shared/contract/errors.ts';
import { methodsAt } from './contract-paths.ts';
import type { Control } from './control.ts';
import { mapErrors, toErrorBody } from './error-mapping.ts';
import { setApiHeaders } from './json-response.ts';
import { readJsonBody } from './request-body.ts';
import { router } from './router.ts';

/** Answers a REST request; rejects with a `SpikeError` for what no procedure is asked: an unknown path, a bad body. */
export type RestHandler = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

export function createRestHandler(control: Control, maxBodyBytes: number): RestHandler {
  const handler = new OpenAPIHandler(router, {
    plugins: [new ResponseHeadersPlugin()],
    clientInterceptors: [mapErrors(control.log)],
    customErrorResponseBodyEncoder: toErrorBody,
  });
  return async (request, response, path) => {
    setApiHeaders(response);
    if (!agreeOnMethod(request, response, path)) return;
    const body = await readJsonBody(request, maxBodyBytes);
    // oRPC takes a body that is here already, and would otherwise guess one from the content type.
    const { matched } = await handler.handle(Object.assign(request, { body }), response, {
      context: control.context,
    });
    if (!matched) throw unknownPath(path);
  };
}

/** False when the answer has been given: to `OPTIONS`. `HEAD` becomes `GET`; node:http leaves the content out. */
function agreeOnMethod(request: IncomingMessage, response: ServerResponse, path: string): boolean {
  const methods = methodsAt(path);
  if (methods.length === 0) throw unknownPath(path);
  const allowed = methods.includes('GET') ? ['OPTIONS', 'HEAD', ...methods] : ['OPTIONS', ...methods];
  response.setHeader('allow', allowed.join(', '));
  if (request.method === 'OPTIONS') {
    response.writeHead(204).end();
    return false;
  }
  if (!allowed.includes(request.method ?? '')) {
    throw new SpikeError(
      'method-not-allowed',
      `${path} takes ${methods.join(', ')}, not ${request.method}.`,
      {
        allowed: methods,
      },
    );
  }
  if (request.method === 'HEAD') request.method = 'GET';
  return true;
}

export function unknownPath(path: string): SpikeError {
  return new SpikeError('not-found', `There is no ${path}. /api/v1/openapi.json lists what there is.`);
}
