export const shells = [
  { value: 'bash', label: 'bash, zsh' },
  { value: 'fish', label: 'fish' },
  { value: 'powershell', label: 'PowerShell' },
] as const;
export type Shell = (typeof shells)[number]['value'];

/** Tells a shell to use the proxy; the user name in the address names the caller. */
export function proxyCommand(shell: Shell, address: string, caller: string): string {
  const url = `http://${encodeURIComponent(caller)}:x@${address}`;
  switch (shell) {
    case 'bash':
      return `export {http,https}_proxy=${url}`;
    case 'fish':
      return `set -gx http_proxy ${url}; set -gx https_proxy ${url}`;
    case 'powershell':
      return `$env:http_proxy = $env:https_proxy = '${url}'`;
  }
}
