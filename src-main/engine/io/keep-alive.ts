/**
 * Connections that are silent for so long are asked by TCP whether their peer is still there (RFC 9293, section 3.8.4), on both
 * sides. So a tunnel may be idle for days, as those of database pools are, and yet ends when its peer's machine is gone: Node
 * asks ten times, once a second, and then reports ETIMEDOUT.
 */
export const keepAliveAfterMs = 60_000;
