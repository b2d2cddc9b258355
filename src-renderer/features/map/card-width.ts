import { narrowestCard, widestCard } from './geometry.ts';

const font = "500 12.5px 'Inter Variable', Inter, system-ui, sans-serif";
/** Left edge, icon, gap, and the glyph with its room on the right; some more, since the font may not be there yet when it is measured. */
const besideNamePx = 29 + 28 + 8;

let context: CanvasRenderingContext2D | null = null;

/** How wide the card of a service is: its name decides, within bounds, so that no figure ever changes it. */
export function cardWidth(name: string): number {
  context ??= document.createElement('canvas').getContext('2d');
  if (context === null) return widestCard;
  context.font = font;
  const width = Math.ceil(context.measureText(name).width) + besideNamePx;
  return Math.min(widestCard, Math.max(narrowestCard, width));
}
