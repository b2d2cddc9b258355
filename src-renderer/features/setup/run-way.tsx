import { useState } from 'react';
import { Segments } from '../../ui/segments.tsx';
import { CommandLine } from './command-line.tsx';
import { runtimes } from './runtimes.ts';
import { Way } from './way.tsx';

const service = 'orders';

export function RunWay() {
  const [id, setId] = useState('node');
  const runtime = runtimes.find((known) => known.id === id) ?? runtimes[0]!;
  const options = runtimes.map(({ id: value, label }) => ({ value, label }));
  return (
    <Way
      title="Run a command"
      words="Best for one service that you start yourself. Its calls carry its name."
    >
      <Segments label="Runtime" value={id} options={options} onChange={setId} />
      <CommandLine text={`spike run --as ${service} -- ${runtime.command}`} what="the command">
        spike run --as <span className="v">{service}</span> -- <span className="v">{runtime.command}</span>
      </CommandLine>
      <p className="note">
        Sets{' '}
        {runtime.variables.map((name, index) => (
          <span key={name}>
            {index > 0 && (index === runtime.variables.length - 1 ? ' and ' : ', ')}
            <span className="mono">{name}</span>
          </span>
        ))}{' '}
        for that process alone. Nothing stays behind. {runtime.note}
      </p>
    </Way>
  );
}
