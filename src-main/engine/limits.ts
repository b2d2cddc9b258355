import { longestHeldBodyBytes, mostHeldBytes, mostHeldCalls } from '#shared/contract/held.ts';
import type { CaptureSettings, LimitSettings } from '#shared/workspace/workspace.ts';
import { messagesPerFlowLimit, messageTextLimit, messageTextPerFlowLimit } from '#shared/flow/message.ts';
import { defaultCaptureLimits } from './capture/capture-writer.ts';
import { defaultClientLimits } from './io/client-watch.ts';
import { defaultHttp2Limits } from './io/http2-limits.ts';
import { defaultPoolLimits } from './io/upstream-pool.ts';
import { burstsPerFlowLimit } from './proxy/byte-bursts.ts';
import { messageBurstLimit, messagesPerSecondLimit } from './proxy/message-rate.ts';
import { defaultHttp1Limits } from './proxy/http1/limits.ts';
import { longestCollectedBytes } from './rules/faults/message-stage.ts';
import { marksPerFlowLimit } from './rules/flow-marks.ts';
import { linkHoldLimitBytes } from './rules/held-bytes.ts';
import { defaultAutoPassthroughLimits } from './tls/auto-passthrough.ts';

/** The bounds in force, by name with their unit, as `GET /status` shows them. */
export function limitsInForce(capture: CaptureSettings, limits: LimitSettings): Record<string, number> {
  return {
    'capture.maxBodyBytes': capture.maxBodyBytes,
    'capture.maxDiskBytes': capture.maxDiskBytes,
    'capture.maxQueuedBodyBytes': defaultCaptureLimits.maxQueuedBodyBytes,
    'capture.maxQueuedBytes': defaultCaptureLimits.maxQueuedBytes,
    'capture.maxMessagesPerFlow': messagesPerFlowLimit,
    'capture.maxMessageCharacters': messageTextLimit,
    'capture.maxMessageCharactersPerFlow': messageTextPerFlowLimit,
    'capture.maxMessagesAtOnce': messageBurstLimit,
    'capture.maxMessagesPerSecond': messagesPerSecondLimit,
    'capture.maxBurstsPerFlow': burstsPerFlowLimit,
    'breakpoints.maxHeldCalls': mostHeldCalls,
    'breakpoints.maxHeldBytes': mostHeldBytes,
    'breakpoints.maxBodyBytes': longestHeldBodyBytes,
    'client.headTimeoutMs': defaultClientLimits.headTimeoutMs,
    'client.idleTimeoutMs': defaultClientLimits.idleTimeoutMs,
    'client.stalledTimeoutMs': defaultClientLimits.stalledTimeoutMs,
    'client.maxConnections': defaultClientLimits.maxConnections,
    'client.maxConnectionsPerAddress': defaultClientLimits.maxConnectionsPerAddress,
    'http2.maxStreamsPerConnection': defaultHttp2Limits.maxStreamsPerConnection,
    'http2.maxHeadBytes': defaultHttp2Limits.maxHeadBytes,
    'http2.maxFields': defaultHttp2Limits.maxFields,
    'http2.streamWindowBytes': defaultHttp2Limits.streamWindowBytes,
    'http2.connectionWindowBytes': defaultHttp2Limits.connectionWindowBytes,
    'http2.maxConnectionsPerUpstream': defaultHttp2Limits.maxConnectionsPerUpstream,
    'http2.settingsTimeoutMs': defaultHttp2Limits.settingsTimeoutMs,
    'http2.upstreamIdleTimeoutMs': defaultHttp2Limits.upstreamIdleTimeoutMs,
    'http1.maxHeadBytes': defaultHttp1Limits.maxHeadBytes,
    'http1.maxRequestLineBytes': defaultHttp1Limits.maxRequestLineBytes,
    'http1.maxFields': defaultHttp1Limits.maxFields,
    'link.maxHeldBytes': linkHoldLimitBytes,
    'rules.maxHeldBytes': limits.maxRuleHoldBytes,
    'rules.maxCollectedBytes': longestCollectedBytes,
    'rules.maxMarksPerFlow': marksPerFlowLimit,
    'tls.autoPassthroughMs': defaultAutoPassthroughLimits.passMs,
    'tls.maxAutoPassthrough': defaultAutoPassthroughLimits.maxRemembered,
    'upstream.maxIdlePerDestination': defaultPoolLimits.maxIdlePerDestination,
    'upstream.maxIdle': defaultPoolLimits.maxIdle,
    'upstream.idleTimeoutMs': defaultPoolLimits.idleTimeoutMs,
  };
}
