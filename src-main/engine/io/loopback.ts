/** The addresses and the name that mean this machine to itself; the unspecified address is one when it is called. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3}|0\.0\.0\.0|::)$/i.test(host);
}
