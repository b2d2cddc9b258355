import { SpikeError } from '#shared/contract/errors.ts';
import type { EngineStatus } from '../engine/engine-interface.ts';
import { attachment, isOn } from './attachment.ts';
import { os } from './context.ts';

/** The capture that is being written, whatever it will be called once it is saved. */
const currentId = 'current';

const list = os.captures.list.handler(({ context }) => [currentCapture(context.engine.status().capture)]);

function currentCapture(capture: EngineStatus['capture']) {
  return { id: currentId, flows: capture.flows, bytes: capture.bytes, startedAt: capture.oldestAt };
}

const control = os.captures.control.handler(({ input, context }) => {
  context.engine.flows.setRecording(input.action === 'start');
  context.events.statusChanged();
  return { recording: context.engine.status().capture.recording };
});

const exportFile = os.captures.export.handler(async ({ input, context }) => {
  if (input.id !== currentId) {
    throw new SpikeError(
      'not-found',
      `There is no capture "${input.id}". The one being recorded is "current".`,
    );
  }
  const text = await context.engine.flows.exportHar({ filter: input.filter, redact: isOn(input.redact) });
  const name = `spike-${fileTime(context.engine.status().startedAt)}.har`;
  return attachment(text, { name, type: 'application/json', resHeaders: context.resHeaders });
});

/** A time as file names may have it on every system: no colons. */
function fileTime(iso: string): string {
  return iso.slice(0, 19).replaceAll(':', '-');
}

export const captures = { list, control, export: exportFile };
