import type { Health } from '#shared/contract/topology.ts';

/** The shape of a state: ring, triangle, square, bolt, broken ring. Colour comes last (design: "shape, word, then colour"). */
export function Glyph({ health }: { health: Health }) {
  return (
    <svg className="glyph" viewBox="0 0 10 10" role="img" aria-label={health}>
      {shapes[health]}
    </svg>
  );
}

const shapes: Record<Health, React.ReactNode> = {
  fine: <circle cx="5" cy="5" r="3.5" fill="none" stroke="var(--ok)" strokeWidth="1.6" />,
  idle: <circle cx="5" cy="5" r="3.5" fill="none" stroke="var(--control-line)" strokeWidth="1.6" />,
  slow: <path d="M5 .8 9.5 9H.5Z" fill="var(--warn-fill)" />,
  failing: <rect x="1.2" y="1.2" width="7.6" height="7.6" rx="1" fill="var(--error)" />,
  faulted: <path d="M5.8.3 1.4 5.8h2.8L3.9 9.7 8.6 4H5.5Z" fill="var(--fault)" />,
  played: (
    <circle
      cx="5"
      cy="5"
      r="3.6"
      fill="none"
      stroke="var(--play)"
      strokeWidth="1.6"
      strokeDasharray="1.9 1.5"
    />
  ),
};
