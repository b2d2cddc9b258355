import { useState } from 'react';
import { useStatus } from '../../stores/status-store.ts';
import { Segments } from '../../ui/segments.tsx';
import { CommandLine } from './command-line.tsx';
import { proxyCommand, shells } from './proxy-commands.ts';
import type { Shell } from './proxy-commands.ts';
import { Way } from './way.tsx';

const caller = 'web';

export function ProxyWay() {
  const [shell, setShell] = useState<Shell>('bash');
  const address = useStatus((store) => store.status?.proxy.address ?? null);
  return (
    <Way title="Use the proxy" words="Best for browsers, phones and tools. HTTP and CONNECT share one port.">
      <Segments label="Shell" value={shell} options={shells} onChange={setShell} />
      {address === null ? (
        <p className="note error">The proxy is not listening; see “This machine”.</p>
      ) : (
        <ProxyLine text={proxyCommand(shell, address, caller)} />
      )}
      <p className="note">
        Go, Java, Ruby, Chromium and Firefox skip a proxy for localhost. For those, add a route. The user
        name, <span className="mono">{caller}</span>, names the caller.
      </p>
    </Way>
  );
}

/** The command with the caller's name set off, which is what one changes. */
function ProxyLine({ text }: { text: string }) {
  const parts = text.split(`//${caller}:`);
  return (
    <CommandLine text={text} what="the command">
      {parts.map((part, index) => (
        <span key={index}>
          {index > 0 && (
            <>
              //<span className="v">{caller}</span>:
            </>
          )}
          {part}
        </span>
      ))}
    </CommandLine>
  );
}
