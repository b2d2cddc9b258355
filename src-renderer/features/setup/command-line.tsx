import type { ReactNode } from 'react';
import { CopyButton } from '../../ui/copy-button.tsx';

interface CommandLineProps {
  /** What is copied. */
  text: string;
  what: string;
  /** The same with its parts set off; the text itself where it is absent. */
  children?: ReactNode;
}

/** A line to copy. */
export function CommandLine({ text, what, children }: CommandLineProps) {
  return (
    <div className="cmd">
      <code className="mono grow" tabIndex={0}>
        {children ?? text}
      </code>
      <CopyButton text={text} what={what} />
    </div>
  );
}
