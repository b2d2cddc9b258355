import { collectDefaultMetrics } from 'prom-client';
import type { Registry } from 'prom-client';

/** prom-client asks every 10 ms by itself how late the event loop is: a hundred wake-ups a second, of each process that idles. */
const eventLoopSampleMs = 100;

/** Memory, CPU, collections and the event loop of this process, into that registry. */
export function collectProcessMetrics(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: eventLoopSampleMs });
}
