import type { MessageOutput, MessageRoom, ProtocolDecoder, StreamDecoder } from './decoder.ts';
import { recogniseRedis } from './redis/recognise.ts';
import { RedisConversation } from './redis/conversation.ts';

/** Redis, and Valkey, KeyDB, Dragonfly and others that speak RESP2 or RESP3. */
export const redis: ProtocolDecoder = {
  protocol: 'redis',
  recognise: recogniseRedis,
  create: (output: MessageOutput, room?: MessageRoom): StreamDecoder => new RedisConversation(output, room),
};
