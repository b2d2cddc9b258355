import type { Health } from '#shared/contract/topology.ts';
import { Glyph } from '../../ui/glyph.tsx';

const entries: readonly { health: Health; words: string }[] = [
  { health: 'fine', words: 'fine' },
  { health: 'slow', words: 'slow' },
  { health: 'failing', words: 'failing' },
  { health: 'faulted', words: 'faulted by you' },
  { health: 'idle', words: 'no calls' },
];

export function Legend() {
  return (
    <ul className="legend" aria-label="Legend">
      {entries.map(({ health, words }) => (
        <li key={health}>
          <Glyph health={health} />
          {words}
        </li>
      ))}
    </ul>
  );
}
