import { metricText } from '#shared/scenarios/assertion.ts';
import type { CallerOutcome, EdgeOutcome, Figures, ScenarioReport } from '#shared/scenarios/report.ts';
import { escapeHtml } from './escape-html.ts';
import { callerChart } from './report-chart.ts';
import { seconds } from './recovery.ts';

/** A report as one page that needs nothing else: no script, no font, nothing to load. For a screen, dark or light, and paper. */
export function reportPage(report: ScenarioReport): string {
  const title = `${report.scenario}, ${report.startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="quiet">Spike scenario</p>
<h1>${escapeHtml(report.scenario)}</h1>
<p>${escapeHtml(summaryOf(report))}</p>
</header>
${assertionsOf(report)}
<section>
<h2>Did the fallbacks work?</h2>
${report.callers.length === 0 ? '<p>Nobody called anybody through Spike.</p>' : `<ul class="answers">${report.callers.map(answerOf).join('')}</ul>`}
</section>
<section>
<h2>Phases</h2>
${phasesOf(report)}
</section>
${report.callers.map((caller) => callerSection(caller, report)).join('\n')}
${notesOf(report)}
</body>
</html>
`;
}

function summaryOf({ startedAt, elapsedMs, reason, all, passed, assertions }: ScenarioReport): string {
  const how =
    reason === null
      ? `It ran for ${seconds(elapsedMs)}`
      : `It was stopped after ${seconds(elapsedMs)}: ${reason}`;
  const { calls, errors, hits } = all.total;
  const verdict = assertions.length === 0 ? '' : passed ? ' All assertions hold.' : ' It did not pass.';
  return `${how}, from ${startedAt}. ${calls} calls, ${hits} hit by faults, ${errors} failed.${verdict}`;
}

function assertionsOf({ assertions }: ScenarioReport): string {
  if (assertions.length === 0) return '';
  const rows = assertions.map(
    ({ text, passed, reason }) =>
      `<tr><td>${passed ? '<b class="ok">holds</b>' : '<b class="bad">fails</b>'}</td><td><code>${escapeHtml(text)}</code></td><td>${escapeHtml(reason)}</td></tr>`,
  );
  return `<section><h2>Assertions</h2><table><tbody>${rows.join('')}</tbody></table></section>`;
}

const verdictMarks = {
  untouched: ['quiet', 'not hit'],
  held: ['ok', 'held'],
  degraded: ['warn', 'slower'],
  failed: ['bad', 'failed'],
} as const;

function answerOf({ name, verdict, sentence }: CallerOutcome): string {
  const [tone, word] = verdictMarks[verdict];
  return `<li><b>${escapeHtml(name)}</b> <span class="mark ${tone}">${word}</span><br>${escapeHtml(sentence)}</li>`;
}

function phasesOf({ phases, all }: ScenarioReport): string {
  const rows = phases.map(
    ({ name, fromMs, toMs, rules }, index) =>
      `<tr><td>${phaseName(name, rules.length > 0)}</td><td>${seconds(fromMs)} to ${seconds(toMs)}</td><td>${escapeHtml(rules.join(', ')) || 'none'}</td>${figureCells(all.phases[index] as Figures)}</tr>`,
  );
  return `<table>${head('Phase', 'When', 'Rules on', ...figureHeadings)}<tbody>${rows.join('')}</tbody></table>`;
}

function callerSection(caller: CallerOutcome, report: ScenarioReport): string {
  const { phases } = report;
  const rows = [
    ...caller.edges.map((edge) => phaseRows(`to ${edge.callee}`, edge, report)),
    ...(caller.answered === null ? [] : [phaseRows(`answered by ${caller.name}`, caller.answered, report)]),
  ];
  const recoveries = caller.edges
    .filter((edge) => edge.total.hits > 0)
    .map((edge) => `<li>to ${escapeHtml(edge.callee)}: ${escapeHtml(edge.recovery.note)}</li>`);
  return `<section>
<h2>${escapeHtml(caller.name)}</h2>
${callerChart(caller, { phases, sliceMs: report.sliceMs })}
<table>${head('Calls', 'Phase', ...figureHeadings, 'Statuses and causes')}${rows.join('')}</table>
${recoveries.length === 0 ? '' : `<h3>Recovery</h3><ul>${recoveries.join('')}</ul>`}
</section>`;
}

function phaseRows(
  what: string,
  measured: Pick<EdgeOutcome, 'phases'>,
  { phases }: Pick<ScenarioReport, 'phases'>,
): string {
  const rows = measured.phases.map((figures, index) => {
    const phase = phases[index];
    const first =
      index === 0 ? `<th scope="rowgroup" rowspan="${phases.length}">${escapeHtml(what)}</th>` : '';
    const name = phaseName(phase?.name ?? '', (phase?.rules.length ?? 0) > 0);
    return `<tr>${first}<td>${name}</td>${figureCells(figures)}<td>${escapeHtml(endsOf(figures))}</td></tr>`;
  });
  return `<tbody>${rows.join('')}</tbody>`;
}

function phaseName(name: string, faulty: boolean): string {
  return `<span class="${faulty ? 'faulty' : ''}">${escapeHtml(name)}</span>`;
}

const figureHeadings = ['Calls', 'Hit', 'Errors', 'Error rate', 'p50', 'p95', 'p99', 'Per second'];

function figureCells(figures: Figures): string {
  const { calls, hits, errors, errorRate, p50, p95, p99, perSecond } = figures;
  const time = (ms: number | null): string => (ms === null ? '' : metricText('p95', ms));
  const rate = errorRate === null ? '' : metricText('errorRate', errorRate);
  const texts = [String(calls), String(hits), String(errors), rate, time(p50), time(p95), time(p99)];
  return [...texts, metricText('perSecond', perSecond)]
    .map((text, index) => `<td class="n${index === 2 && errors > 0 ? ' bad' : ''}">${text}</td>`)
    .join('');
}

function endsOf({ statuses, causes, open }: Figures): string {
  const counts = [...Object.entries(statuses), ...Object.entries(causes)];
  const texts = counts.map(([what, count]) => `${what} × ${count}`);
  return [...texts, ...(open > 0 ? [`open × ${open}`] : [])].join(', ');
}

function head(...headings: readonly string[]): string {
  return `<thead><tr>${headings.map((text) => `<th scope="col">${text}</th>`).join('')}</tr></thead>`;
}

function notesOf({ notes }: ScenarioReport): string {
  const own = [
    'A call belongs to the phase in which it began. Percentiles are known to 1 %; tunnels and WebSockets have none.',
  ];
  const items = [...notes, ...own].map((note) => `<li>${escapeHtml(note)}</li>`);
  return `<section><h2>Notes</h2><ul>${items.join('')}</ul></section>`;
}

const style = `
:root{color-scheme:light dark;--bg:#fff;--text:#1b1d21;--quiet:#5d646f;--line:#d9dce1;--ok:#15704a;--warn:#8a5a00;--bad:#b3321a;--fault:#a3297a;--hatch:#a3297a26;--rate:#2467c9}
@media (prefers-color-scheme:dark){:root{--bg:#17181b;--text:#e9ebee;--quiet:#9aa1ac;--line:#33363c;--ok:#63c494;--warn:#e5b64c;--bad:#ff7a5c;--fault:#f185c9;--hatch:#f185c930;--rate:#74adff}}
@media print{:root{color-scheme:light;--bg:#fff;--text:#000;--quiet:#444;--line:#bbb;--ok:#15704a;--warn:#8a5a00;--bad:#b3321a;--fault:#a3297a;--hatch:#a3297a26;--rate:#2467c9}section{break-inside:avoid}}
body{background:var(--bg);color:var(--text);font:14px/1.45 system-ui,sans-serif;max-width:1080px;margin:32px auto;padding:0 20px}
h1{font-size:24px;margin:0}h2{font-size:16px;margin:28px 0 8px}h3{font-size:14px;margin:12px 0 4px}
p{margin:4px 0}.quiet{color:var(--quiet)}.ok{color:var(--ok)}.warn{color:var(--warn)}.bad{color:var(--bad)}
table{border-collapse:collapse;width:100%;font-size:12.5px;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:4px 8px 4px 0;border-bottom:1px solid var(--line);font-weight:400}
thead th{color:var(--quiet)}tbody th{font-weight:600}td.n{text-align:right;white-space:nowrap}
ul{margin:4px 0;padding-left:18px}.answers{list-style:none;padding:0}.answers li{margin:0 0 10px}
.mark{border:1px solid;border-radius:4px;padding:0 5px;font-size:12px}.faulty{color:var(--fault);font-weight:600}
code{font-family:ui-monospace,monospace;font-size:12.5px}svg{display:block;width:100%;height:auto;margin:6px 0 10px}
svg text{font:11px system-ui,sans-serif;fill:var(--quiet)}svg .phase{fill:var(--hatch)}svg .edge{stroke:var(--line)}
svg .rate{fill:none;stroke:var(--rate);stroke-width:1.5}svg .errors{fill:var(--bad);opacity:.75}svg .name{fill:var(--fault)}
`;
