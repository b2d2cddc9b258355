import type { LucideIcon } from 'lucide-react';

/** An icon of the window: 14 px, drawn with 1.75. Decoration only; what it means is said by its button or text. */
export function Icon({
  of: Drawing,
  size = 14,
  className = '',
}: {
  of: LucideIcon;
  size?: number;
  className?: string;
}) {
  return <Drawing className={`i ${className}`} width={size} height={size} strokeWidth={1.75} aria-hidden />;
}
