/** How long a rule is on: `on for 28 s`, `on for 2 min 28 s`, `on for 1 h 05 min`. */
export function onForWords(ms: number): string {
  return `on for ${spanWords(ms)}`;
}

/** When it turns itself off: `turns off in 28 s`. */
export function turnsOffWords(ms: number): string {
  return ms <= 0 ? 'turns off now' : `turns off in ${spanWords(ms)}`;
}

function spanWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (part: number) => String(part).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
