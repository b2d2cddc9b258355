import type uPlot from 'uplot';

/** A time in which Spike did something on purpose, in the units of the chart's x scale. */
export interface HatchedSpan {
  readonly from: number;
  readonly until: number;
}

export interface HatchColours {
  readonly fault: string;
  readonly hatch: string;
}

/** Under the lines: diagonal strokes over each span, and an upright where it begins. */
export function hatchSpans(plot: uPlot, spans: readonly HatchedSpan[], colours: HatchColours): void {
  const { ctx, bbox } = plot;
  const step = 6 * devicePixelRatio;
  for (const span of spans) {
    const { left, right } = edgesOfSpan(plot, span);
    if (right <= left) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colours.hatch;
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.beginPath();
    for (let x = left - bbox.height - (left % step); x < right; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
    ctx.fillStyle = colours.fault;
    if (left > bbox.left) ctx.fillRect(left, bbox.top, devicePixelRatio, bbox.height);
  }
}

/** Where a span is drawn, in pixels of the canvas, within the plot. */
export function edgesOfSpan(plot: uPlot, span: HatchedSpan): { left: number; right: number } {
  const { bbox } = plot;
  const at = (x: number) => plot.valToPos(x, 'x', true);
  return {
    left: Math.max(bbox.left, Math.round(at(span.from))),
    right: Math.min(bbox.left + bbox.width, Math.round(at(span.until))),
  };
}
