import type { ReactNode } from 'react';

/** One of the ways in: its name and what it is for at the left, what to do at the right. */
export function Way({ title, children, words }: { title: string; words?: string; children: ReactNode }) {
  return (
    <section className="way" aria-label={title}>
      <div>
        <h2>{title}</h2>
        {words !== undefined && <p>{words}</p>}
      </div>
      <div className="way-body">{children}</div>
    </section>
  );
}
