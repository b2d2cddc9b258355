// The results as tables in Markdown.

export function medianOf(row, key) {
  const values = row.runs.map((run) => run[key]).sort((a, b) => a - b);
  return values[values.length >> 1];
}

const whole = (value) => Math.round(value).toLocaleString('en-US');

/** By the unit of a scenario: the heading of its first figure, the figure, and what CPU time is divided by. */
const units = {
  calls: { heading: 'req/s', value: (row) => medianOf(row, 'perSecond'), text: whole },
  names: {
    heading: 'names/s',
    value: (row) => medianOf(row, 'perSecond'),
    text: (value) => value.toFixed(0),
  },
  bytes: { heading: 'MB/s', value: (row) => medianOf(row, 'bytesPerSecond') / 1e6, text: whole },
  added: { heading: 'req/s', value: (row) => medianOf(row, 'perSecond'), text: whole },
};

export function printTable({ title, unit }, rows) {
  const { heading, value, text } = units[unit];
  const [direct] = rows;
  const spike = rows.find((row) => row.name === 'spike');
  const cpuHeading = unit === 'bytes' ? 'CPU s per GB' : 'CPU s per 1,000';
  const second = unit === 'added' ? 'added µs' : 'Spike is';
  console.log(`\n### ${title}\n`);
  console.log(`| | ${heading} | ${second} | p50 ms | p99 ms | ${cpuHeading} | peak MB | errors |`);
  console.log('|---|--:|--:|--:|--:|--:|--:|--:|');
  for (const row of rows) {
    const added = whole(medianOf(row, 'p50') - medianOf(direct, 'p50'));
    const ratio = spike === undefined || row === spike ? '' : `${(value(spike) / value(row)).toFixed(2)} ×`;
    const cells = [
      row.name,
      text(value(row)),
      unit === 'added' ? added : ratio,
      (medianOf(row, 'p50') / 1000).toFixed(2),
      (medianOf(row, 'p99') / 1000).toFixed(1),
      row.child ? cpuOf(row, unit) : '–',
      row.child ? whole(row.peak / 1e6) : '–',
      row.runs.reduce((sum, run) => sum + run.errors, 0),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

function cpuOf(row, unit) {
  const seconds = row.runs.reduce((sum, run) => sum + run.cpuSeconds, 0);
  const parts = row.runs.reduce(
    (sum, run) => sum + (unit === 'bytes' ? run.bytes / 1e9 : run.calls / 1000),
    0,
  );
  return (seconds / parts).toFixed(3);
}

/** @param result kilobytes a connection, resident and in use; the loaded agents with idle connections (`held`) and without. */
export function printIdleTable({ title }, { resident, inUse, held, bare }) {
  console.log(`\n### ${title}\n`);
  console.log(
    '| | KB a connection, resident | in use | req/s of 64 others | p50 ms | p99 ms | CPU s per 1,000 | errors |',
  );
  console.log('|---|--:|--:|--:|--:|--:|--:|--:|');
  for (const [name, row, ...kilobytes] of [
    ['without them', bare, '', ''],
    ['with them', held, resident.toFixed(1), inUse.toFixed(1)],
  ]) {
    const times = ['p50', 'p99'].map((key) => (medianOf(row, key) / 1000).toFixed(1));
    const errors = row.runs.reduce((sum, each) => sum + each.errors, 0);
    const cells = [
      name,
      ...kilobytes,
      whole(medianOf(row, 'perSecond')),
      ...times,
      cpuOf(row, 'calls'),
      errors,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
