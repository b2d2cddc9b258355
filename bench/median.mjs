// Medians, and how sure one can be of them.

/** The median with the bounds between which the true one lies in at least 95 of 100 runs, whatever the distribution (order statistics). */
export function medianWithBounds(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const count = sorted.length;
  const middle = count >> 1;
  const median = count % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  // The largest rank below which a fair coin falls with a chance of at most 2.5 %.
  let [chance, below, rank] = [0.5 ** count, 0, 0];
  while (below + chance <= 0.025) {
    below += chance;
    rank += 1;
    chance *= (count - rank + 1) / rank;
  }
  const from = Math.max(0, rank - 1);
  return { median, low: sorted[from], high: sorted[count - 1 - from], isBounded: rank > 0 };
}
