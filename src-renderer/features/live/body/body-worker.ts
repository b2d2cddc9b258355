import { formatBody } from './body-format.ts';
import type { BodyTask } from './present-body.ts';

/** One body, one answer; the window ends the worker. */
self.onmessage = (event: MessageEvent<BodyTask>) => {
  self.postMessage(formatBody(event.data.bytes, event.data.contentType));
};
