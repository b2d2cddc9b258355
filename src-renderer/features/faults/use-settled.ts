import { useEffect, useState } from 'react';

/** As long as half a word takes: an error of what is still being typed says nothing. */
const quietMs = 300;

/** A value once it has stayed for a moment; that there is none is so at once. */
export function useSettled<T>(value: T | null): T | null {
  const [settled, setSettled] = useState<T | null>(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), value === null ? 0 : quietMs);
    return () => clearTimeout(timer);
  }, [value]);
  return value === null ? null : settled;
}
