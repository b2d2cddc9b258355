// `npm run fuzz -- --minutes 10 [parser ...]`: mutates the corpus of every parser (tests/fixtures/corpus), or of those that
// are named, for so long each. What is found is saved in the corpus, and is a case of the tests from then on.
import { parseArgs } from 'node:util';
import { fuzz, saveDefect } from '../tests/property/fuzz/fuzz.ts';
import { fuzzTargets } from '../tests/property/fuzz/targets.ts';

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const names = fuzzTargets.map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
if (unknown.length > 0 || !(minutes > 0) || !Number.isInteger(seed)) {
  console.error(
    `Usage: npm run fuzz -- [--minutes N] [--seed N] [parser ...]\nParsers: ${names.join(', ')}.`,
  );
  process.exit(2);
}
const results = await fuzz(positionals.length > 0 ? positionals : names, minutes * 60, seed, (result) => {
  console.log(
    `${result.name}: ${result.runs} inputs, seed ${seed}${result.defect === null ? '' : ', a defect'}`,
  );
});
const defects = results.filter(({ defect }) => defect !== null);
for (const result of defects) console.error(`\n${saveDefect(result)}`);
process.exit(defects.length === 0 ? 0 : 1);
