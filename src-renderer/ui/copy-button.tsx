import { useEffect, useState } from 'react';
import { Check, Copy } from 'lucide-react';
import { Icon } from './icon.tsx';

const saidForMs = 1600;

interface CopyButtonProps {
  text: string;
  /** What is copied, for the accessible name: "Copy the command". */
  what: string;
  iconOnly?: boolean;
}

/** Puts a text on the clipboard, and says that it did, or that it could not. */
export function CopyButton({ text, what, iconOnly = false }: CopyButtonProps) {
  const [said, setSaid] = useState<'copied' | 'refused' | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), saidForMs);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setSaid('copied'),
      () => setSaid('refused'), // the browser did not allow it
    );
  const word = { copied: 'Copied', refused: 'Not allowed' } as const;
  return (
    <button
      type="button"
      className={iconOnly ? 'btn sm ghost icon' : 'btn sm ghost'}
      aria-label={`Copy ${what}`}
      title={said === null ? `Copy ${what}` : word[said]}
      onClick={() => void copy()}
    >
      <Icon of={said === 'copied' ? Check : Copy} className={said === 'copied' ? 'ok' : ''} />
      {!iconOnly && (said === null ? 'Copy' : word[said])}
      <span className="sr-only" role="status">
        {said === null ? '' : word[said]}
      </span>
    </button>
  );
}
