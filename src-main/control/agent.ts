import { os } from './context.ts';

const status = os.agent.status.handler(({ context }) => context.status());

const caCertificate = os.agent.caCertificate.handler(({ context }) => {
  const { certificatePem } = context.engine.ca;
  context.resHeaders?.set('content-disposition', 'attachment; filename="spike-ca.pem"');
  return new File([certificatePem], 'spike-ca.pem', { type: 'application/x-pem-file' });
});

const startDemo = os.agent.startDemo.handler(async ({ context }) => {
  const state = await context.startDemo();
  context.events.statusChanged();
  return { state };
});

const events = os.agent.events.handler(async function* ({ context, signal }) {
  const reader = context.events.open();
  const stop = (): void => reader.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted !== true) yield* reader;
  } finally {
    signal?.removeEventListener('abort', stop);
    reader.close();
  }
});

export const agent = { status, caCertificate, startDemo, events };
