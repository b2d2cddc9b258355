import type { Random } from '../../property/http1/mutations.ts';
import { createRandom } from '../../property/http1/mutations.ts';
import type { CaseAnswer, CaseRequest, DifferentialCase } from './case.ts';
import { allOctets, answer, big } from './cases.ts';

const tokenLetters = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz";
const targetLetters = 'abcXYZ019-._~!$&\'()*+,;=:@/?%2Ff[]|\\^`{}"<>';
const valueLetters = `${allOctets.slice(0x20, 0x7f)}\t${allOctets.slice(0x80)}`;
/** Names that mean something for the way of a message are written by the cases that mean it. */
const meaningful =
  /^(te|host|expect|upgrade|connection|keep-alive|content-length|transfer-encoding|trailer|x-case|proxy-.*)$/i;

function word(random: Random, letters: string, atLeast: number, atMost: number): string {
  const length = atLeast + random(atMost - atLeast + 1);
  return Array.from({ length }, () => letters[random(letters.length)]).join('');
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random(items.length)] as Item;
}

function lines(random: Random): string[] {
  return Array.from({ length: random(12) }, () => {
    const name = word(random, tokenLetters, 1, 20);
    const value = `${pick(random, ['', ' ', '  ', '\t'])}${word(random, valueLetters, 0, 60)}`;
    return `${meaningful.test(name) ? 'X-Other' : name}:${value}`;
  });
}

function sizes(random: Random): number[] {
  const piece = pick(random, [1 << 30, 1 << 30, 1400, 64, 5]);
  return [...Array.from({ length: random(4) }, () => 1 + random(30)), piece];
}

/** Octets that are not the same everywhere, so that one that is missing or twice is seen. */
function payload(random: Random): string {
  const length = pick(random, [0, 1, random(100), random(5000), random(70_000)]);
  const from = random(256);
  return big(length + from).slice(from);
}

interface Framed {
  readonly lines: readonly string[];
  readonly body: string;
}

function framed(random: Random): Framed {
  const text = payload(random);
  if (random(2) === 0) return { lines: [`Content-Length: ${text.length}`], body: text };
  let body = '';
  for (let at = 0; at < text.length;) {
    const size = Math.min(text.length - at, 1 + random(9000));
    const extension = random(4) === 0 ? `;${word(random, 'abc', 1, 5)}="${word(random, 'xyz ', 0, 5)}"` : '';
    body += `${size.toString(16)}${extension}\r\n${text.slice(at, at + size)}\r\n`;
    at += size;
  }
  const trailers = random(3) === 0 ? `X-T: ${word(random, 'abc', 0, 9)}\r\n` : '';
  return { lines: ['Transfer-Encoding: chunked'], body: `${body}0\r\n${trailers}\r\n` };
}

function shuffled(random: Random, all: readonly string[]): string[] {
  const rest = [...all];
  return all.map(() => rest.splice(random(rest.length), 1)[0] as string);
}

function answerFor(random: Random, method: string, isLast: boolean): CaseAnswer {
  const pieces = sizes(random);
  const interim =
    random(8) === 0
      ? [
          `HTTP/1.1 103 Early Hints\r\n${lines(random)
            .map((line) => `${line}\r\n`)
            .join('')}\r\n`,
        ]
      : [];
  const status = pick(random, ['200 OK', '201 Created', '404 Not Found', '503 x', '204 No Content', '304 -']);
  if (/^(204|304)/.test(status)) return answer(status, lines(random), '', { pieces, interim });
  if (isLast && method !== 'HEAD' && random(6) === 0) {
    return answer(status, lines(random), payload(random), { closes: true, pieces, interim });
  }
  const { lines: framing, body } = framed(random);
  const all = shuffled(random, [...lines(random), ...framing]);
  return answer(status, all, method === 'HEAD' ? '' : body, { pieces, interim });
}

function requestOf(random: Random, isLast: boolean): CaseRequest {
  const method = pick(random, [
    'GET',
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    word(random, 'ABC-', 1, 9),
  ]);
  const bodiless = { lines: [], body: '' };
  const { lines: framing, body } = /^(P|D)/.test(method) ? framed(random) : bodiless;
  return {
    method,
    target: `/${word(random, targetLetters, 0, 200)}`,
    version: '1.1',
    lines: shuffled(random, ['Host: {authority}', ...lines(random), ...framing]),
    body,
    answer: answerFor(random, method, isLast),
  };
}

/** Cases by chance, the same for the same seed. */
export function generatedCases(count: number, seed: number): DifferentialCase[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const length = pick(random, [1, 1, 1, 2, 4]);
    return {
      name: `by chance ${index} (seed ${seed})`,
      requests: Array.from({ length }, (_unused, at) => requestOf(random, at === length - 1)),
      pipelined: random(2) === 0,
      pieces: sizes(random),
    };
  });
}
