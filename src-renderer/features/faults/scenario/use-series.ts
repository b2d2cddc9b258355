import { useEffect, useState } from 'react';
import type { RunSeries, ScenarioRun } from '#shared/scenarios/report.ts';
import { agent } from '../../../stores/connection-store.ts';

const askEveryMs = 1000;

/** What callers meet in a run: asked each second while it lasts, and once more when its last calls are in. */
export function useSeries(run: ScenarioRun | null): RunSeries | null {
  const [series, setSeries] = useState<RunSeries | null>(null);
  const id = run?.id ?? null;
  const lasts = run !== null && run.state !== 'ended';
  useEffect(() => {
    if (id === null) return;
    let current = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      // What cannot be told now is asked again; an agent that forgot the run has nothing to draw.
      const answer = document.hidden
        ? null
        : await agent()
            .scenarios.series({ id })
            .catch(() => null);
      if (!current) return;
      if (answer !== null) setSeries(answer);
      if (lasts) timer = setTimeout(() => void ask(), askEveryMs);
    };
    void ask();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [id, lasts]);
  return series?.id === id ? series : null;
}
